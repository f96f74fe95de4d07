// Commitments to columns of small integers, by tables of multiples of the bases: no buckets and no sorting.
//
// A value is a sum of `windows` signed digits of `width` bits. The table holds, for base b, window k and j from 1 to
// half = 2^(width - 1), the point j * 2^(width k) * bases[b], at index (b * windows + k) * half + j - 1.
//
// Which entries a thread reads depends on the values: cards are not to be shared with strangers.
#include "curve.cuh"

// Fills the table, from bases none of which is infinity. One thread a base.
//
// Entries 1 to m give m + 1 to 2 m by adding entry m; the m differences are inverted together, and the products that this needs stand
// where the new entries go. The last entry doubled is the first of the next window. Points of prime order: no difference is zero.
extern "C" __global__ void __launch_bounds__(128) table_build(const Affine* bases, Affine* table, u32 count, u32 width, u32 windows) {
    u32 b = blockIdx.x * blockDim.x + threadIdx.x;
    if (b >= count) return;
    u32 half = 1u << (width - 1);
    Affine* entry = table + (u64)b * windows * half;
    entry[0] = bases[b];
#pragma unroll 1
    for (u32 k = 0; k < windows; k++, entry += half) {
        // The last round of every window but the last makes a single entry: the first of the next.
        u32 m = 1;
#pragma unroll 1
        for (;;) {
            bool last = m == half;
            if (last && k + 1 == windows) break;
            u32 first = last ? m : 1;
            Affine step = entry[m - 1];
            Fq all = one<CoordinateModulus>();
#pragma unroll 1
            for (u32 j = first; j <= m; j++) {
                entry[m + j - first].x = all;
                all = all * (j == m ? step.y + step.y : entry[j - 1].x - step.x);
            }
            Fq rest = inverse(all);
#pragma unroll 1
            for (u32 j = m; j >= first; j--) {
                Affine p = entry[j - 1];
                bool same = j == m;
                Fq d = same ? step.y + step.y : p.x - step.x, square = p.x * p.x;
                Fq slope = (same ? square + square + square : p.y - step.y) * (rest * entry[m + j - first].x);
                rest = rest * d;
                Affine sum;
                sum.x = slope * slope - p.x - step.x;
                sum.y = slope * (p.x - sum.x) - p.y;
                entry[m + j - first] = sum;
            }
            if (last) break;
            m *= 2;
        }
    }
}

// partial[c * columns + column] = sum over the bases b of chunk c of values[b * columns + column] * bases[b].
//
// Block (x, c): threads are columns, c is a chunk of `chunk` bases. All threads of a block read the same rows of the table. A value
// without a representation sets `status` to the least index of such a value, and is left out.
template <class V>
__device__ __forceinline__ void commit(const Affine* table, const V* values, Xyzz* partial, u64* status, u32 columns, u32 bases,
        u32 chunk, u32 width, u32 windows) {
    u32 column = blockIdx.x * blockDim.x + threadIdx.x;
    if (column >= columns) return;
    Xyzz sum = infinity();
    u32 first = blockIdx.y * chunk, last = first + chunk < bases ? first + chunk : bases;
    i64 half = 1 << (width - 1);
#pragma unroll 1
    for (u32 b = first; b < last; b++) {
        i64 value = values[(u64)b * columns + column];
        const Affine* row = table + (u64)b * windows * half;
#pragma unroll 1
        for (u32 k = 0; k < windows; k++, row += half) {
            // In [-half, half), but for the last, which takes what is left.
            i64 digit = k + 1 == windows ? value : (i64)(((u64)value + half) & (2 * half - 1)) - half;
            // Not (value - digit) >> width, which overflows.
            value = (value >> width) + (digit < 0);
            u64 size = digit < 0 ? -(u64)digit : (u64)digit;
            if (size > half) {
                atomicMin(status, (u64)b * columns + column);
                size = 0;
            }
            if (size == 0) continue;
            Affine point = row[size - 1];
            if (digit < 0) point.y = negative(point.y);
            add(sum, point);
        }
    }
    partial[(u64)blockIdx.y * columns + column] = sum;
}
extern "C" __global__ void __launch_bounds__(128) table_commit_i16(const Affine* table, const i16* values, Xyzz* partial, u64* status,
        u32 columns, u32 bases, u32 chunk, u32 width, u32 windows) {
    commit(table, values, partial, status, columns, bases, chunk, width, windows);
}
extern "C" __global__ void __launch_bounds__(128) table_commit_i64(const Affine* table, const i64* values, Xyzz* partial, u64* status,
        u32 columns, u32 bases, u32 chunk, u32 width, u32 windows) {
    commit(table, values, partial, status, columns, bases, chunk, width, windows);
}

// out[column] = sum over c below chunks of partial[c * columns + column]. One block of 64 threads a column; 8 kB of shared memory.
//
// First every thread sums every 64th chunk, then the sums are halved six times. One loop for both: the addition stands in it once.
extern "C" __global__ void __launch_bounds__(64) column_sum(const Xyzz* partial, Xyzz* out, u32 columns, u32 chunks) {
    __shared__ Xyzz sums[64];
    u32 column = blockIdx.x, t = threadIdx.x, rounds = (chunks + 63) / 64;
    Xyzz sum = infinity();
#pragma unroll 1
    for (u32 i = 0; i < rounds + 6; i++) {
        Xyzz other = infinity();
        if (i < rounds) {
            u32 c = t + 64 * i;
            if (c < chunks) other = partial[(u64)c * columns + column];
        } else {
            u32 n = 32 >> (i - rounds);
            // The upper half is read; nobody writes it again.
            if (t < 2 * n) sums[t] = sum;
            __syncthreads();
            if (t < n) other = sums[t + n];
        }
        add(sum, other);
    }
    if (t == 0) out[column] = sum;
}
