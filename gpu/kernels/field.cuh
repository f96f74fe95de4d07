// The two fields of BN254: elements below the modulus in Montgomery form (times 2^256), eight words, the lowest first. These are the
// bytes of arkworks' elements. Every function takes and gives elements below the modulus.
#pragma once
#include "carry.cuh"

// Field of scalars. Functions and not arrays: arrays would be memory of the device.
struct ScalarModulus {
    static __device__ __forceinline__ constexpr u32 word(int j) {
        return j == 0 ? 0xf0000001u : j == 1 ? 0x43e1f593u : j == 2 ? 0x79b97091u : j == 3 ? 0x2833e848u
            : j == 4 ? 0x8181585du : j == 5 ? 0xb85045b6u : j == 6 ? 0xe131a029u : 0x30644e72u;
    }
    // 2^256 modulo the modulus.
    static __device__ __forceinline__ constexpr u32 one(int j) {
        return j == 0 ? 0x4ffffffbu : j == 1 ? 0xac96341cu : j == 2 ? 0x9f60cd29u : j == 3 ? 0x36fc7695u
            : j == 4 ? 0x7879462eu : j == 5 ? 0x666ea36fu : j == 6 ? 0x9a07df2fu : 0x0e0a77c1u;
    }
    // -1 / modulus modulo 2^32.
    static __device__ __forceinline__ constexpr u32 inverse() { return 0xefffffffu; }
};
// Field of the curve's coordinates.
struct CoordinateModulus {
    static __device__ __forceinline__ constexpr u32 word(int j) {
        return j == 0 ? 0xd87cfd47u : j == 1 ? 0x3c208c16u : j == 2 ? 0x6871ca8du : j == 3 ? 0x97816a91u
            : j == 4 ? 0x8181585du : j == 5 ? 0xb85045b6u : j == 6 ? 0xe131a029u : 0x30644e72u;
    }
    static __device__ __forceinline__ constexpr u32 one(int j) {
        return j == 0 ? 0xc58f0d9du : j == 1 ? 0xd35d438du : j == 2 ? 0xf5c70b3du : j == 3 ? 0x0a78eb28u
            : j == 4 ? 0x7879462cu : j == 5 ? 0x666ea36fu : j == 6 ? 0x9a07df2fu : 0x0e0a77c1u;
    }
    static __device__ __forceinline__ constexpr u32 inverse() { return 0xe4866389u; }
};

template <class M> struct __align__(16) Element {
    u32 word[8];
};
typedef Element<ScalarModulus> Fr;
typedef Element<CoordinateModulus> Fq;

template <class M> __device__ __forceinline__ Element<M> one() {
    Element<M> r;
#pragma unroll
    for (int j = 0; j < 8; j++) r.word[j] = M::one(j);
    return r;
}

template <class M> __device__ __forceinline__ bool is_zero(const Element<M>& a) {
    u32 any = 0;
#pragma unroll
    for (int j = 0; j < 8; j++) any |= a.word[j];
    return any == 0;
}

// What is below twice the modulus, less the modulus if it is not below it.
template <class M> __device__ __forceinline__ Element<M> reduce(const u32* a) {
    u32 less[8];
    less[0] = sub_cc(a[0], M::word(0));
#pragma unroll
    for (int j = 1; j < 8; j++) less[j] = subc_cc(a[j], M::word(j));
    u32 below = subc(0, 0);
    Element<M> r;
#pragma unroll
    for (int j = 0; j < 8; j++) r.word[j] = below ? a[j] : less[j];
    return r;
}

template <class M> __device__ __forceinline__ Element<M> operator+(const Element<M>& a, const Element<M>& b) {
    u32 sum[8];
    sum[0] = add_cc(a.word[0], b.word[0]);
#pragma unroll
    for (int j = 1; j < 7; j++) sum[j] = addc_cc(a.word[j], b.word[j]);
    // Twice the modulus is below 2^256.
    sum[7] = addc(a.word[7], b.word[7]);
    return reduce<M>(sum);
}

template <class M> __device__ __forceinline__ Element<M> operator-(const Element<M>& a, const Element<M>& b) {
    Element<M> r;
    r.word[0] = sub_cc(a.word[0], b.word[0]);
#pragma unroll
    for (int j = 1; j < 8; j++) r.word[j] = subc_cc(a.word[j], b.word[j]);
    // All ones if the difference is negative: then the modulus is added.
    u32 mask = subc(0, 0);
    r.word[0] = add_cc(r.word[0], M::word(0) & mask);
#pragma unroll
    for (int j = 1; j < 7; j++) r.word[j] = addc_cc(r.word[j], M::word(j) & mask);
    r.word[7] = addc(r.word[7], M::word(7) & mask);
    return r;
}

template <class M> __device__ __forceinline__ Element<M> negative(const Element<M>& a) {
    Element<M> zero = {};
    return zero - a;
}

// sum += the even words of a, times b; leaves the carry in the flag. With `closed` there is none.
template <bool closed> __device__ __forceinline__ void add_product(u32* sum, const u32* a, u32 b) {
    mad_wide_cc(sum[0], sum[1], a[0], b, sum[0], sum[1]);
#pragma unroll
    for (int j = 2; j < 6; j += 2) madc_wide_cc(sum[j], sum[j + 1], a[j], b, sum[j], sum[j + 1]);
    if (closed) madc_wide(sum[6], sum[7], a[6], b, sum[6], sum[7]);
    else madc_wide_cc(sum[6], sum[7], a[6], b, sum[6], sum[7]);
}

// One word of b: the sum, which is held as `even` plus 2^32 times `odd`, takes a times b and a multiple of the modulus that makes its
// lowest word zero. The caller shifts it by a word: it passes `odd` for `even` the next time.
template <class M, bool first> __device__ __forceinline__ void row(u32* even, u32* odd, const u32* a, u32 b) {
    if (first) {
#pragma unroll
        for (int j = 0; j < 8; j += 2) {
            u64 e = multiply_wide(a[j], b), o = multiply_wide(a[j + 1], b);
            even[j] = (u32)e, even[j + 1] = (u32)(e >> 32);
            odd[j] = (u32)o, odd[j + 1] = (u32)(o >> 32);
        }
    } else {
        even[0] = add_cc(even[0], odd[1]);
#pragma unroll
        for (int j = 0; j < 6; j += 2) madc_wide_cc(odd[j], odd[j + 1], a[j + 1], b, odd[j + 2], odd[j + 3]);
        madc_wide(odd[6], odd[7], a[7], b, 0, 0);
        add_product<false>(even, a, b);
        odd[7] = addc(odd[7], 0);
    }
    u32 q = even[0] * M::inverse();
    u32 modulus[8];
#pragma unroll
    for (int j = 0; j < 8; j++) modulus[j] = M::word(j);
    add_product<true>(odd, modulus + 1, q);
    add_product<false>(even, modulus, q);
    odd[7] = addc(odd[7], 0);
}

// Montgomery product a * b / 2^256: 128 wide multiplications, of which 8 have a low half that is known to vanish, and 8 of one word.
template <class M> __device__ __forceinline__ Element<M> operator*(const Element<M>& a, const Element<M>& b) {
    u32 even[8], odd[8];
    row<M, true>(even, odd, a.word, b.word[0]);
    row<M, false>(odd, even, a.word, b.word[1]);
#pragma unroll
    for (int k = 2; k < 8; k += 2) {
        row<M, false>(even, odd, a.word, b.word[k]);
        row<M, false>(odd, even, a.word, b.word[k + 1]);
    }
    even[0] = add_cc(even[0], odd[1]);
#pragma unroll
    for (int j = 1; j < 7; j++) even[j] = addc_cc(even[j], odd[j + 1]);
    even[7] = addc(even[7], 0);
    return reduce<M>(even);
}

// 1 / a, and 0 for 0: the power with exponent modulus - 2. A loop, since it is rare: some 380 products.
template <class M> __device__ __forceinline__ Element<M> inverse(const Element<M>& a) {
    Element<M> r = one<M>();
#pragma unroll 1
    for (int bit = 253; bit >= 0; bit--) {
        r = r * r;
        u32 word = 0;
#pragma unroll
        for (int j = 0; j < 8; j++) word = bit >> 5 == j ? M::word(j) - (j == 0 ? 2u : 0u) : word;
        if (word >> (bit & 31) & 1) r = r * a;
    }
    return r;
}
