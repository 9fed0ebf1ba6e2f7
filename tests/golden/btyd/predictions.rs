//! What papers and packages publish of customers, at the digits that they print.

use loyalake_core::btyd::beta_geometric::BetaGeometric;
use loyalake_core::btyd::bg_bb::BgBb;
use loyalake_core::btyd::gamma_gamma::GammaGamma;
use loyalake_core::btyd::pareto_nbd::ParetoNbd;
use loyalake_core::btyd::sbg::Sbg;
use loyalake_core::btyd::{History, PurchaseModel, Spend, bg_nbd, mbg_nbd};

use super::cdnow;

fn bg() -> BetaGeometric {
    bg_nbd::try_new(&[0.243, 4.414, 0.793, 2.426]).unwrap()
}

fn mbg() -> BetaGeometric {
    mbg_nbd::try_new(&[0.525, 6.183, 0.891, 1.614]).unwrap()
}

fn pareto(values: [f64; 4]) -> ParetoNbd {
    ParetoNbd::try_new(&values).unwrap()
}

fn history(x: f64, t_x: f64, age: f64) -> History {
    History::try_new(x, t_x, age).unwrap()
}

/// Mostly within half a unit of the last digit printed.
fn assert_all(computed: &[f64], published: &[f64], tolerance: f64) {
    assert_eq!(computed.len(), published.len());
    for (one, other) in computed.iter().zip(published) {
        let error = (one - other).abs();
        assert!(error <= tolerance, "{computed:?}, not {published:?}");
    }
}

/// For numbers that were computed with parameters of more digits than are known.
fn assert_all_relative(computed: &[f64], published: &[f64], tolerance: f64) {
    let ratios: Vec<f64> = computed.iter().zip(published).map(|(c, p)| c / p).collect();
    assert_all(&ratios, &vec![1.0; published.len()], tolerance);
}

/// The package BTYD; P(X(t) = n) in the tests of lifetimes.
#[test]
fn a_new_customer_of_bg_nbd() {
    let fitted = bg_nbd::try_new(&[0.242_595, 4.413_602, 0.792_922, 2.425_907]).unwrap();
    let expected = [0.142_9, 1.0, 3.0, 31.857_1, 32.0, 78.0];
    let expected = expected.map(|t| fitted.expected_purchases_new(t));
    let published = [0.007_82, 0.053_18, 0.150_63, 1.040_49, 1.043_73, 1.857_96];
    assert_all(&expected, &published, 5e-6);

    let none = bg().purchase_probability(&History::NEW, 39.0, 0.0);
    assert_all(&[none], &[0.573_786_352_096], 5e-13);
    let published = [
        0.001_999_521_4,
        0.001_517_023_6,
        0.001_163_315_0,
        0.000_900_314_8,
        0.000_702_363_8,
        0.000_551_790_2,
        0.000_436_191_3,
        0.000_346_717_1,
        0.000_276_961_3,
        0.000_222_226_0,
    ];
    let counts: Vec<f64> = (11..=20).map(f64::from).collect();
    let computed: Vec<f64> = counts
        .iter()
        .map(|n| bg().purchase_probability(&History::NEW, 30.0, *n))
        .collect();
    assert_all(&computed, &published, 5e-11);
}

/// The vignette of BTYD, with its own estimates.
#[test]
fn customer_1516() {
    let customer = history(26.0, 30.857, 31.0);
    let fitted = bg_nbd::try_new(&[0.242_594_5, 4.413_601_9, 0.792_919_9, 2.425_888_1]).unwrap();
    let expected = [
        fitted.expected_purchases(&customer, 52.0),
        fitted.p_alive(&customer),
        fitted.expected_purchases_new(52.0),
    ];
    assert_all_relative(&expected, &[25.756_59, 0.968_852_3, 1.444_004], 5e-5);

    let fitted = pareto([0.553_277, 10.577_682, 0.606_240, 11.668_737]);
    assert_all(&[fitted.expected_purchases_new(52.0)], &[1.473_434], 5e-7);
    let fitted = pareto([0.553, 10.580, 0.606, 11.656]);
    let expected = [
        fitted.expected_purchases(&customer, 52.0),
        fitted.p_alive(&customer),
    ];
    assert_all_relative(&expected, &[25.456_47, 0.997_874], 1e-4);
}

/// The more often who was last seen in week 20 of 39 had bought, the less there is to expect.
#[test]
fn increasing_frequency_paradox() {
    let expected = |model: &dyn PurchaseModel| {
        [10.0, 15.0, 20.0, 25.0].map(|x| model.expected_purchases(&history(x, 20.0, 39.0), 52.0))
    };
    let published = [0.347_460_6, 0.042_833_91, 0.004_158_973, 0.000_358_368_5];
    let fitted = bg_nbd::try_new(&[0.242_594_5, 4.413_601_9, 0.792_919_9, 2.425_888_1]).unwrap();
    assert_all_relative(&expected(&fitted), &published, 1e-4);
    let published = [0.706_2, 0.144_24, 0.022_507, 0.003_092_7];
    let fitted = pareto([0.553, 10.580, 0.606, 11.656]);
    assert_all_relative(&expected(&fitted), &published, 2e-4);
}

/// Published formulas go below the smallest double, or above the largest.
#[test]
fn what_was_no_number_elsewhere() {
    let model = pareto([0.55, 10.58, 0.61, 11.67]);
    let expected =
        [132.0, 133.0].map(|x| model.expected_purchases(&history(x, 200.0, 200.0), 10.0));
    assert_all(&expected, &[6.206_051_788_96, 6.252_872_247_57], 5e-12);

    let model = pareto([0.514_3, 2.884_5, 0.285_6, 14.108_7]);
    let alive = [
        (221.0, 103.428_57, 103.571_43),
        (254.0, 97.142_86, 97.285_71),
        (161.0, 94.714_29, 98.0),
        (204.0, 98.571_43, 99.428_57),
    ]
    .map(|(x, t_x, age)| model.p_alive(&history(x, t_x, age)));
    assert_all(&alive, &[0.999_596, 0.999_558, 0.749_488, 0.994_255], 5e-7);

    let silent = history(1_000.0, 10.0, 100.0);
    assert_all(&[bg().p_alive(&silent)], &[0.0], f64::MIN_POSITIVE);

    // a + b < 1
    let model = bg_nbd::try_new(&[0.11, 2.24, 0.31, 0.5]).unwrap();
    let expected = model.expected_purchases(&history(0.0, 0.0, 1.0), 30.0);
    assert_all(&[expected], &[0.564_588_615_533], 5e-13);
}

/// P(alive), expected purchases in 39 weeks and, of Pareto/NBD, discounted purchases without end.
#[test]
fn three_customers() {
    let histories = [(0.0, 0.0), (2.0, 30.43), (7.0, 29.43)];
    let rate = 0.0027_f64.exp_m1();
    let published = [
        [
            1.0, 0.195_098, 0.389_735, 0.154_013, 0.295_287, 0.107_081, 0.477_136,
        ],
        [
            0.726_579, 1.226_028, 0.706_202, 1.262_961, 0.869_168, 1.455_123, 6.483_774,
        ],
        [
            0.641_756, 3.337_053, 0.622_724, 3.167_572, 0.749_501, 3.712_251, 16.541_141,
        ],
    ];
    let pareto = pareto([0.553, 10.578, 0.606, 11.669]);
    for ((x, t_x), published) in histories.into_iter().zip(published) {
        let customer = history(x, t_x, 38.86);
        let models: [&dyn PurchaseModel; 3] = [&bg(), &mbg(), &pareto];
        let alive_and_expected = |model: &dyn PurchaseModel| {
            [
                model.p_alive(&customer),
                model.expected_purchases(&customer, 39.0),
            ]
        };
        let mut computed: Vec<f64> = models.into_iter().flat_map(alive_and_expected).collect();
        computed.push(pareto.discounted_purchases(&customer, None, rate));
        assert_all(&computed, &published, 5.1e-7);
    }
}

/// The example of BTYD's manual, continuous discount 0.0027 a week.
#[test]
fn discounted_purchases_by_frequency() {
    let model = pareto([0.562_996_6, 12.559_037, 0.408_109_5, 10.514_804_8]);
    let rate = 0.0027_f64.exp_m1();
    let discounted = |x, t_x| model.discounted_purchases(&history(x, t_x, 77.86), None, rate);
    assert_all(&[discounted(7.0, 35.0)], &[1.864_183_328_07], 5e-12);
    let computed: Vec<f64> = (1..=10).map(|x| discounted(f64::from(x), 30.0)).collect();
    let published = [
        2.199_16, 2.843_53, 2.867_13, 2.445_41, 1.840_50, 1.262_42, 0.809_62, 0.494_80, 0.292_02,
        0.167_93,
    ];
    assert_all(&computed, &published, 5.1e-6);
}

/// Repeat purchases of the CDNOW sample in the 39 weeks after the fit: 1,882 were made.
#[test]
fn holdout_of_cdnow() {
    let customers = cdnow();
    let made: f64 = customers.iter().map(|customer| customer.later).sum();
    let before: f64 = customers.iter().map(|customer| customer.history[0]).sum();
    assert_all(&[before, made], &[2_457.0, 1_882.0], 0.0);

    let (bg, pareto) = (bg(), pareto([0.553, 10.578, 0.606, 11.669]));
    let sum = |of: &dyn Fn(&History) -> f64| -> f64 {
        let histories = customers.iter().map(|customer| customer.history);
        histories
            .map(|[x, t_x, age]| of(&history(x, t_x, age)))
            .sum()
    };
    let expected = [
        sum(&|history| bg.expected_purchases(history, 39.0)),
        sum(&|history| pareto.expected_purchases(history, 39.0)),
    ];
    assert_all(&expected, &[1_653.94, 1_665.69], 5e-3);
    let alive = sum(&|history| pareto.p_alive(history)) / 2_357.0;
    assert_all(&[alive], &[0.446_43], 5e-6);
}

/// Means of the holdout's purchases by repeat purchases before: made, BG/NBD's and Pareto/NBD's as
/// BTYD prints them.
#[test]
fn holdout_of_cdnow_by_frequency() {
    let bg = bg();
    let pareto = pareto([0.553, 10.580, 0.606, 11.656]);
    for (x, made, by_bg, by_pareto) in [
        (0.0, 0.236_7, 0.225_1, 0.138),
        (1.0, 0.697_0, 0.523_1, 0.600),
        (2.0, 1.392_5, 1.044_1, 1.196),
    ] {
        let of_x: Vec<_> = cdnow()
            .into_iter()
            .filter(|customer| (customer.history[0] - x).abs() < 0.5)
            .collect();
        let mean = |of: &dyn Fn(&History) -> f64| {
            let sum: f64 = of_x
                .iter()
                .map(|customer| customer.history)
                .map(|[x, t_x, age]| of(&history(x, t_x, age)))
                .sum();
            sum / of_x.len() as f64
        };
        let later: f64 = of_x.iter().map(|customer| customer.later).sum();
        assert_all(&[later / of_x.len() as f64], &[made], 5e-5);
        assert_all(
            &[mean(&|history| bg.expected_purchases(history, 39.0))],
            &[by_bg],
            5e-4,
        );
        assert_all(
            &[mean(&|history| pareto.expected_purchases(history, 39.0))],
            &[by_pareto],
            1e-3,
        );
    }
}

/// The first ten customers of CDNOW, in the tests of lifetimes with an error of 0.1.
#[test]
fn expected_spend_of_cdnow() {
    let model = GammaGamma::try_new(&[6.25, 3.74, 15.44]).unwrap();
    let computed: Vec<f64> = cdnow()
        .iter()
        .take(10)
        .map(|customer| {
            let mean = customer.mean_repeat_value.unwrap_or_default();
            let spend = Spend::try_new(customer.history[0], mean);
            model.expected_spend(spend.as_ref()).unwrap()
        })
        .collect();
    let published = [
        24.65, 18.91, 35.17, 35.17, 35.17, 71.46, 18.91, 35.17, 27.28, 35.17,
    ];
    assert_all(&computed, &published, 0.1);
}

/// BTYD's vignette of BG/BB: a new donor's expected donations, those of all in 1996 to 2006, and
/// discounted ones (3 of them until year 4, then 1 to 6 of them until year 6).
#[test]
fn donations() {
    let fitted = BgBb::try_new(&[1.203_522, 0.749_716, 0.656_718, 2.783_443]).unwrap();
    let years: Vec<f64> = (0..=11).map(f64::from).collect();
    let new = |n: &f64| fitted.expected_purchases_new(*n);
    let published = [
        0.498_5, 0.923_3, 1.296_9, 1.632_3, 1.938_1, 2.220_2, 2.482_6, 2.728_5, 2.960_3, 3.179_8,
        3.388_7,
    ];
    let computed: Vec<f64> = years[1..].iter().map(new).collect();
    assert_all_relative(&computed, &published, 1e-3);
    let yearly: Vec<f64> = years
        .windows(2)
        .map(|years| 11_104.0 * (new(&years[1]) - new(&years[0])))
        .collect();
    let published = [
        5_535.833, 4_717.059, 4_147.621, 3_724.665, 3_395.888, 3_131.647, 2_913.778, 2_730.482,
        2_573.731, 2_437.854, 2_318.727,
    ];
    assert_all_relative(&yearly, &published, 5e-5);

    let model = BgBb::try_new(&[1.20, 0.75, 0.66, 2.78]).unwrap();
    let discounted = |x, t_x| model.discounted_purchases(&history(x, t_x, 6.0), None, 0.1);
    assert_all(&[discounted(3.0, 4.0)], &[1.621_379_185_84], 5e-12);
    let computed: Vec<f64> = (1..=6).map(|x| discounted(f64::from(x), 6.0)).collect();
    let published = [1.802_04, 2.621_16, 3.440_27, 4.259_38, 5.078_49, 5.897_60];
    assert_all(&computed, &published, 5e-6);
}

/// Fader, Hardie (2007), from fits to seven years; of 12 years 17.3 % and 39.4 % came true.
#[test]
fn survival_of_contracts() {
    for (parameters, published) in [
        (
            [0.704_077, 1.182_043],
            [
                0.626_7, 0.473_8, 0.388_0, 0.332_1, 0.292_3, 0.262_5, 0.239_0, 0.220_1, 0.204_4,
                0.191_2, 0.179_9, 0.170_0,
            ],
        ),
        (
            [0.668_088, 3.806_095],
            [
                0.850_7, 0.746_9, 0.669_8, 0.609_9, 0.561_8, 0.522_2, 0.488_9, 0.460_4, 0.435_8,
                0.414_2, 0.395_1, 0.378_0,
            ],
        ),
    ] {
        let model = Sbg::try_new(&parameters).unwrap();
        let computed: Vec<f64> = (1..=12)
            .map(|years| model.survival(f64::from(years)).unwrap())
            .collect();
        assert_all(&computed, &published, 5.1e-5);
    }
}
