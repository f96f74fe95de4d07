//! Four field elements at a time.
//!
//! The look-up argument multiplies tens of millions of field elements that nothing else needs. On processors with AVX2 and FMA
//! it does so in floating point, four side by side; elsewhere in plain field arithmetic. Both kernels have one interface:
//!
//! - [`Packed`], reduced elements, as they are stored;
//! - [`Loose`], a difference of reduced elements or a product, which can only be multiplied;
//! - [`Unsettled`], before its carries are settled: becomes [`Packed`] or [`Loose`];
//! - [`Sum`], `Σ a·b` over many products, reduced once at the end.

#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
#[path = "fma.rs"]
mod kernel;
#[cfg(not(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma")))]
#[path = "portable.rs"]
mod kernel;
#[cfg(all(target_arch = "x86_64", target_feature = "avx2", target_feature = "fma"))]
mod vector;

pub use kernel::{Loose, Packed, Single, Sum, Unsettled};

/// Elements side by side.
pub const LANES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dot::tests::elements;
    use ark_bn254::Fr;
    use ark_ff::{Field, One, Zero};
    use proptest::prelude::*;

    /// Elements whose Montgomery forms are the extremes of their limbs, and random ones.
    fn element() -> impl Strategy<Value = Fr> {
        prop_oneof![
            4 => any::<u64>().prop_map(|seed| elements(1, seed)[0]),
            1 => prop_oneof![Just(Fr::zero()), Just(Fr::one()), Just(-Fr::one())],
            1 => (0u64..256, 0u64..4).prop_map(|(shift, less)| Fr::from(2u64).pow([shift]) - Fr::from(less)),
        ]
    }

    fn four() -> impl Strategy<Value = [Fr; LANES]> {
        [element(), element(), element(), element()]
    }

    fn lanes(f: impl Fn(usize) -> Fr) -> [Fr; LANES] {
        std::array::from_fn(f)
    }

    proptest! {
        #[test]
        fn elements_survive(a in four(), b in four()) {
            let (p, q) = (Packed::new(a), Packed::new(b));
            prop_assert_eq!(p.elements(), a);
            let (even, odd) = Packed::deinterleave(p, q);
            prop_assert_eq!(even.elements(), [a[0], a[2], b[0], b[2]]);
            prop_assert_eq!(odd.elements(), [a[1], a[3], b[1], b[3]]);
            let singles = a.map(Single::from);
            prop_assert_eq!(Packed::gather(singles.each_ref()).elements(), a);
        }

        #[test]
        fn products_are_exact(a in four(), b in four(), c in four(), d in four(), e in element()) {
            let [pa, pb, pc, pd] = [a, b, c, d].map(Packed::new);
            let factor = Loose::splat(e);
            let [product, difference] = Unsettled::of([pa.into(), pc - pd], [pb.into(), factor]);
            prop_assert_eq!(product.reduced().elements(), lanes(|i| a[i] * b[i]));
            prop_assert_eq!(difference.plus(pd).reduced().elements(), lanes(|i| (c[i] - d[i]) * e + d[i]));
            let [sum] = Unsettled::of_two([pa.into()], [pb.into()], [pc.into()], [pd.into()]);
            prop_assert_eq!(sum.reduced().elements(), lanes(|i| a[i] * b[i] + c[i] * d[i]));
            let [numerator, denominator] = Unsettled::fraction([pa, pb], [pc, pd]).map(|part| part.reduced().elements());
            prop_assert_eq!(numerator, lanes(|i| a[i] * d[i] + c[i] * b[i]));
            prop_assert_eq!(denominator, lanes(|i| b[i] * d[i]));
            prop_assert_eq!(pa.plus(pb).elements(), lanes(|i| a[i] + b[i]));
        }

        #[test]
        fn sums_are_exact(
            terms in proptest::collection::vec((four(), four(), four(), four()), 0..20),
            repeat in 1usize..60,
        ) {
            let (mut sum, mut expected) = (Sum::default(), Fr::zero());
            for _ in 0..repeat {
                for &(a, b, c, d) in &terms {
                    let [pa, pb, pc, pd] = [a, b, c, d].map(Packed::new);
                    let [two] = Unsettled::of_two([pa - pb], [pc - pd], [pb - pc], [pd - pa]);
                    sum.add(pa, two.loose());
                    expected += lanes(|i| a[i] * ((a[i] - b[i]) * (c[i] - d[i]) + (b[i] - c[i]) * (d[i] - a[i])))
                        .iter().sum::<Fr>();
                    let [one] = Unsettled::of([pb.into()], [pc.into()]);
                    sum.add(pa, one.minus(pd));
                    expected += lanes(|i| a[i] * (b[i] * c[i] - d[i])).iter().sum::<Fr>();
                }
            }
            prop_assert_eq!(sum.finish(), expected);
        }
    }
}
