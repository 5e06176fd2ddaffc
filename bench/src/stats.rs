//! From rounds to figures.

/// Resamplings of the bootstrap: its interval's ends then move by less than is printed.
const RESAMPLINGS: usize = 4_000;

/// The middle value; of an even number, the mean of the two.
pub(crate) fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let n = values.len();
    assert!(n > 0, "a row has at least one round");
    (values[(n - 1) / 2] + values[n / 2]) / 2.0
}

pub(crate) fn geometric_mean(values: impl Iterator<Item = f64>) -> f64 {
    let logs: Vec<f64> = values.map(f64::ln).collect();
    (logs.iter().sum::<f64>() / logs.len() as f64).exp()
}

/// A median, and the interval that holds the true one with 95%.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) median: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Estimate {
    /// By bootstrap: the medians of as many values, drawn again and again from these with
    /// replacement, leave 2.5% on each side. The draws follow from a constant seed.
    pub(crate) fn of(values: &[f64]) -> Estimate {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut draw = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            values[(state >> 33) as usize % values.len()]
        };
        let mut medians: Vec<f64> =
            (0..RESAMPLINGS).map(|_| median(values.iter().map(|_| draw()))).collect();
        medians.sort_by(f64::total_cmp);
        Estimate {
            median: median(values.iter().copied()),
            low: medians[RESAMPLINGS / 40],
            high: medians[RESAMPLINGS - 1 - RESAMPLINGS / 40],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn middle_and_mean() {
        assert_eq!(median([3.0, 1.0, 2.0].into_iter()), 2.0);
        assert_eq!(median([4.0, 1.0].into_iter()), 2.5);
        assert!((geometric_mean([0.5, 2.0].into_iter()) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn the_interval_holds_the_median_and_widens_with_the_values() {
        let narrow = Estimate::of(&[0.99, 1.0, 1.0, 1.01, 1.0, 0.99, 1.01, 1.0, 1.0]);
        let wide = Estimate::of(&[0.5, 1.0, 1.5, 0.7, 1.3, 0.6, 1.0, 1.4, 1.0]);
        for estimate in [narrow, wide] {
            assert!(estimate.low <= estimate.median && estimate.median <= estimate.high);
        }
        assert!(wide.high - wide.low > narrow.high - narrow.low);
    }

    #[test]
    fn one_value_is_its_own_interval() {
        assert_eq!(Estimate::of(&[0.7]), Estimate { median: 0.7, low: 0.7, high: 0.7 });
    }
}
