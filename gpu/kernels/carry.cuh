// Additions and multiply-additions that write or read the carry flag, one instruction of PTX each (or two, see WIDE).
//
// The flag is lost at branches, and the compiler knows nothing of it. What keeps it is that volatile statements stay in
// their order, and that no other statement here writes it. A test reads the PTX and holds the order: whoever writes the flag is
// followed, without a branch between, by who reads it.
#pragma once

typedef short i16;
typedef int i32;
typedef long long i64;
typedef unsigned int u32;
typedef unsigned long long u64;

// Not marked as reading or writing memory, so that loads and stores may move across them.
#define CARRY_OF_TWO(name, instruction) \
    __device__ __forceinline__ u32 name(u32 a, u32 b) { \
        u32 r; \
        asm volatile(instruction " %0, %1, %2;" : "=r"(r) : "r"(a), "r"(b)); \
        return r; \
    }
CARRY_OF_TWO(add_cc, "add.cc.u32")
CARRY_OF_TWO(addc_cc, "addc.cc.u32")
CARRY_OF_TWO(addc, "addc.u32")
CARRY_OF_TWO(sub_cc, "sub.cc.u32")
CARRY_OF_TWO(subc_cc, "subc.cc.u32")
CARRY_OF_TWO(subc, "subc.u32")
#undef CARRY_OF_TWO

// (lo, hi) = a * b + (c, d) and the flag. Both halves stand in one statement: apart they become two multiplications.
#define WIDE(name, first, second) \
    __device__ __forceinline__ void name(u32& lo, u32& hi, u32 a, u32 b, u32 c, u32 d) { \
        asm volatile(first " %0, %2, %3, %4; " second " %1, %2, %3, %5;" \
            : "=&r"(lo), "=r"(hi) : "r"(a), "r"(b), "r"(c), "r"(d)); \
    }
WIDE(mad_wide_cc, "mad.lo.cc.u32", "madc.hi.cc.u32")
WIDE(madc_wide_cc, "madc.lo.cc.u32", "madc.hi.cc.u32")
WIDE(madc_wide, "madc.lo.cc.u32", "madc.hi.u32")
#undef WIDE

// a * b, as one wide multiplication. Written out, the compiler may make it one of 64 bits.
__device__ __forceinline__ u64 multiply_wide(u32 a, u32 b) {
    u64 r;
    asm("mul.wide.u32 %0, %1, %2;" : "=l"(r) : "r"(a), "r"(b));
    return r;
}
