// Kernels over field elements. One thread a result; threads past the end do nothing. No shared memory, no barriers.
#include "field.cuh"

template <class M>
__device__ __forceinline__ void product(const Element<M>* x, const Element<M>* y, Element<M>* out, u32 count, u32 times) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Element<M> r = x[i], factor = y[i];
#pragma unroll 1
    for (u32 k = 0; k < times; k++) r = r * factor;
    out[i] = r;
}

template <class M>
__device__ __forceinline__ void sums(const Element<M>* x, const Element<M>* y, Element<M>* sum, Element<M>* difference, u32 count) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Element<M> a = x[i], b = y[i];
    sum[i] = a + b;
    difference[i] = a - b;
}

// out[i] = x[i] * y[i]^times for i below count. Reads x and y, writes out: `count` elements each.
extern "C" __global__ void __launch_bounds__(128) fr_product(const Fr* x, const Fr* y, Fr* out, u32 count, u32 times) {
    product(x, y, out, count, times);
}
extern "C" __global__ void __launch_bounds__(128) fq_product(const Fq* x, const Fq* y, Fq* out, u32 count, u32 times) {
    product(x, y, out, count, times);
}

// sum[i] = x[i] + y[i] and difference[i] = x[i] - y[i] for i below count.
extern "C" __global__ void __launch_bounds__(128) fr_sums(const Fr* x, const Fr* y, Fr* sum, Fr* difference, u32 count) {
    sums(x, y, sum, difference, count);
}
extern "C" __global__ void __launch_bounds__(128) fq_sums(const Fq* x, const Fq* y, Fq* sum, Fq* difference, u32 count) {
    sums(x, y, sum, difference, count);
}

// Binds the first variable of a table: out[i] = in[2 i] + r (in[2 i + 1] - in[2 i]) for i below count. Reads 2 count elements and
// the one of `challenge`, writes count; `out` is another buffer than `in`.
extern "C" __global__ void __launch_bounds__(128) fr_fold(const Fr* in, Fr* out, const Fr* challenge, u32 count) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= count) return;
    Fr low = in[2 * (u64)i], high = in[2 * (u64)i + 1], r = challenge[0];
    out[i] = low + r * (high - low);
}

// Rate of wide multiply-additions: eight sums a thread, s = (low word of s) * factor + s, `times` times. Writes the exclusive or of
// the sums to out[i]; there is a thread for every result.
extern "C" __global__ void __launch_bounds__(128) wide_rate(u64* out, u32 factor, u32 times) {
    u32 i = blockIdx.x * blockDim.x + threadIdx.x;
    u64 s[8];
#pragma unroll
    for (int j = 0; j < 8; j++) s[j] = (u64)i * 8 + j + 1;
#pragma unroll 1
    for (u32 k = 0; k < times; k += 16) {
#pragma unroll
        for (int unrolled = 0; unrolled < 16; unrolled++)
#pragma unroll
            for (int j = 0; j < 8; j++) s[j] = (u64)(u32)s[j] * factor + s[j];
    }
    u64 all = 0;
#pragma unroll
    for (int j = 0; j < 8; j++) all ^= s[j];
    out[i] = all;
}
