// The curve y^2 = x^3 + 3 of BN254. Its order is an odd prime, so that no point but infinity is its own opposite.
#pragma once
#include "field.cuh"

// A point that is not infinity.
struct Affine {
    Fq x, y;
};
// The point (x / zz, y / zzz) with zz^3 = zzz^2; infinity if zz is zero. "Extended Jacobian coordinates", Explicit-Formulas Database,
// XYZZ for short Weierstrass curves.
struct Xyzz {
    Fq x, y, zz, zzz;
};

__device__ __forceinline__ Xyzz infinity() {
    Xyzz p = {};
    return p;
}

// 2 p, with the slope's parts: dbl-2008-s-1.
__device__ __forceinline__ Xyzz twice(const Xyzz& p) {
    Fq u = p.y + p.y, v = u * u, w = u * v, s = p.x * v, square = p.x * p.x, m = square + square + square;
    Xyzz r;
    r.x = m * m - (s + s);
    r.y = m * (s - r.x) - w * p.y;
    r.zz = v * p.zz;
    r.zzz = w * p.zzz;
    return r;
}

// p += q for any p, equal or opposite to q as well: madd-2008-s, ten products.
__device__ __forceinline__ void add(Xyzz& p, const Affine& q) {
    if (is_zero(p.zz)) {
        p.x = q.x, p.y = q.y, p.zz = one<CoordinateModulus>(), p.zzz = one<CoordinateModulus>();
        return;
    }
    Fq d = q.x * p.zz - p.x, r = q.y * p.zzz - p.y;
    if (is_zero(d)) {
        p = is_zero(r) ? twice(p) : infinity();
        return;
    }
    Fq dd = d * d, ddd = d * dd, s = p.x * dd;
    p.x = r * r - ddd - (s + s);
    p.y = r * (s - p.x) - p.y * ddd;
    p.zz = p.zz * dd;
    p.zzz = p.zzz * ddd;
}

// p += q for any two points: add-2008-s, fourteen products.
__device__ __forceinline__ void add(Xyzz& p, const Xyzz& q) {
    if (is_zero(q.zz)) return;
    if (is_zero(p.zz)) {
        p = q;
        return;
    }
    Fq x = p.x * q.zz, y = p.y * q.zzz, d = q.x * p.zz - x, r = q.y * p.zzz - y;
    if (is_zero(d)) {
        p = is_zero(r) ? twice(p) : infinity();
        return;
    }
    Fq dd = d * d, ddd = d * dd, s = x * dd;
    p.x = r * r - ddd - (s + s);
    p.y = r * (s - p.x) - y * ddd;
    p.zz = p.zz * q.zz * dd;
    p.zzz = p.zzz * q.zzz * ddd;
}
