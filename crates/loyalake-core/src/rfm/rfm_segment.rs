//! Names for combinations of recency, frequency and monetary scores.
//!
//! Source: the eleven segments customary in RFM tools ("RFM analysis for successful customer
//! segmentation" by Putler, "RFM analysis" by Clevertap), both drawn on recency against the mean of
//! frequency and value. Their published ranges overlap; the table below resolves them so that every
//! combination has one name.

/// Segment names by recency (rows, 1 to 5) and by the mean of frequency and value, rounded half up
/// (columns, 1 to 5).
const SEGMENTS: [[&str; 5]; 5] = [
    ["lost", "lost", "at_risk", "at_risk", "cannot_lose"],
    [
        "hibernating",
        "hibernating",
        "at_risk",
        "at_risk",
        "cannot_lose",
    ],
    [
        "about_to_sleep",
        "about_to_sleep",
        "need_attention",
        "loyal",
        "loyal",
    ],
    [
        "promising",
        "potential_loyalist",
        "potential_loyalist",
        "loyal",
        "loyal",
    ],
    [
        "new",
        "potential_loyalist",
        "potential_loyalist",
        "champions",
        "champions",
    ],
];

/// The segment of scores from 1 to 5, 5 best; `None` when a score is outside.
///
/// # Example
/// ```
/// use loyalake_core::rfm::rfm_segment::rfm_segment;
/// assert_eq!(rfm_segment(5, 4, 5), Some("champions"));
/// assert_eq!(rfm_segment(2, 4, 5), Some("cannot_lose"));
/// assert_eq!(rfm_segment(0, 4, 5), None);
/// ```
pub fn rfm_segment(recency: i64, frequency: i64, monetary: i64) -> Option<&'static str> {
    let score = |score: i64| {
        usize::try_from(score)
            .ok()
            .filter(|score| (1..=5).contains(score))
    };
    let (recency, frequency, monetary) = (score(recency)?, score(frequency)?, score(monetary)?);
    Some(SEGMENTS[recency - 1][(frequency + monetary).div_ceil(2) - 1])
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_125_triples_share_the_eleven_names() {
        let scores = || 1..=5_i64;
        let names: Vec<&str> = scores()
            .flat_map(|r| scores().flat_map(move |f| scores().map(move |m| (r, f, m))))
            .filter_map(|(r, f, m)| rfm_segment(r, f, m))
            .collect();
        assert_eq!(names.len(), 125);
        assert_eq!(names.into_iter().collect::<BTreeSet<_>>().len(), 11);
    }

    #[test]
    fn scores_outside_one_to_five_have_no_segment() {
        assert_eq!(rfm_segment(6, 1, 1), None);
        assert_eq!(rfm_segment(1, 0, 1), None);
        assert_eq!(rfm_segment(1, 1, -3), None);
    }

    #[test]
    fn half_points_round_up() {
        assert_eq!(rfm_segment(5, 1, 2), Some("potential_loyalist"));
        assert_eq!(rfm_segment(1, 4, 5), Some("cannot_lose"));
    }
}
