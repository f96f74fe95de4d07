// Integer matrix products modulo 2^64, in which the order of a sum does not matter.
#include "carry.cuh"

#define TILE 64
#define DEPTH 16

// out[r * outputs + c] (+)= sum over k of a[r * inputs + k] * w[k * outputs + c].
//
// Block (x, y, z): columns from 64 x, rows from 64 y, part z of the inner axis, which is cut into gridDim.z parts. A thread has
// 4 x 4 results. With one part it stores them; with several it adds them, and `out` must be zero before.
template <class W>
__device__ __forceinline__ void matrix_product(const i16* a, const W* w, u64* out, u32 rows, u32 inputs, u32 outputs) {
    __shared__ i32 left[DEPTH][TILE + 1];
    __shared__ W right[DEPTH][TILE];
    u32 t = threadIdx.x, x = t % 16, y = t / 16, column = blockIdx.x * TILE, row = blockIdx.y * TILE;
    u32 part = (inputs + gridDim.z - 1) / gridDim.z, first = blockIdx.z * part, last = first + part < inputs ? first + part : inputs;
    i64 sum[4][4] = {};
#pragma unroll 1
    for (u32 k0 = first; k0 < last; k0 += DEPTH) {
#pragma unroll
        for (u32 i = 0; i < TILE * DEPTH / 256; i++) {
            u32 e = t + 256 * i, r = e / DEPTH, k = e % DEPTH;
            left[k][r] = row + r < rows && k0 + k < last ? a[(u64)(row + r) * inputs + k0 + k] : 0;
            u32 d = e / TILE, c = e % TILE;
            right[d][c] = k0 + d < last && column + c < outputs ? w[(u64)(k0 + d) * outputs + column + c] : 0;
        }
        __syncthreads();
#pragma unroll
        for (u32 d = 0; d < DEPTH; d++) {
            i32 l[4];
            W r[4];
#pragma unroll
            for (u32 i = 0; i < 4; i++) l[i] = left[d][y + 16 * i], r[i] = right[d][x + 16 * i];
#pragma unroll
            for (u32 i = 0; i < 4; i++)
#pragma unroll
                for (u32 j = 0; j < 4; j++) sum[i][j] += (i64)l[i] * r[j];
        }
        __syncthreads();
    }
#pragma unroll
    for (u32 i = 0; i < 4; i++)
#pragma unroll
        for (u32 j = 0; j < 4; j++) {
            u32 r = row + y + 16 * i, c = column + x + 16 * j;
            if (r >= rows || c >= outputs) continue;
            u64* to = out + (u64)r * outputs + c;
            if (gridDim.z > 1) atomicAdd(to, (u64)sum[i][j]);
            else *to = sum[i][j];
        }
}
// Weights of 32 bits: one wide multiplication a product.
extern "C" __global__ void __launch_bounds__(256, 2) product_narrow(const i16* a, const i32* w, u64* out, u32 rows, u32 inputs, u32 outputs) {
    matrix_product(a, w, out, rows, inputs, outputs);
}
// Weights of 64 bits: three multiplications a product.
extern "C" __global__ void __launch_bounds__(256, 2) product_wide(const i16* a, const i64* w, u64* out, u32 rows, u32 inputs, u32 outputs) {
    matrix_product(a, w, out, rows, inputs, outputs);
}
