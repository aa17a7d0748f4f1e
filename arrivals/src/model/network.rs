//! The network: from an order, and the pieces of it that have come, to the law of the next piece.

use gpu::nn::{Activation, Dense, Embedding, Gru, Layout};
use gpu::{RoundGradient, Scalar};

use crate::grid::Grid;
use crate::log::AGES;

/// The size of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Size {
    /// Width of the recurrent state. Default 32.
    pub hidden: usize,
    /// Width of the context that every piece reads. Default 16.
    pub context: usize,
    /// Width of the embeddings of vendors and of times. Default 8.
    pub embedding: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self {
            hidden: 32,
            context: 16,
            embedding: 8,
        }
    }
}

/// Rows of an order before its covariates: units, usual order, minimum, batch, sine and cosine of the season, promised time, whether there is a
/// promise, vendor.
pub(super) const PLAIN: usize = 9;
/// What the network makes of the plain rows.
const FEATURES: usize = 8;
/// Channels of the convolution over earlier orders.
const CHANNELS: usize = 8;
/// Numbers of the piece before: its time, time since the order, its share, shares so far, whether there is none, whether the order is complete.
pub(super) const BEFORE: usize = 6;
/// Takes a class out of a softmax.
const MASKED: f64 = -1e4;

/// The places of the network's parameters.
#[derive(Debug, Clone)]
pub(super) struct Network {
    pub(super) size: Size,
    pub(super) grid: Grid,
    covariates: usize,
    vendor: Embedding,
    history: [Dense; 3],
    context: Dense,
    summary: Dense,
    first: Dense,
    gru: Gru,
    time: Dense,
    time_embedding: Embedding,
    share_hidden: Dense,
    share: Dense,
    /// What draws by inverse distribution functions multiply by; constants that follow the parameters.
    time_draw: Inverse,
    share_draw: Inverse,
    layout: Layout,
    params: usize,
}

/// Where the decoder stands in an order.
#[derive(Debug, Clone)]
pub(super) struct Decoder<S> {
    pub(super) hidden: Vec<S>,
    /// [`BEFORE`] numbers of the piece before.
    pub(super) before: [S; BEFORE],
}

/// A piece that was drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawn<S> {
    /// Periods since the order.
    pub(super) time: S,
    /// Share of the order; zero where there is no piece.
    pub(super) share: S,
    /// 1 where there is a piece, 0 where nothing more comes.
    pub(super) some: S,
}

impl Network {
    pub(super) fn new(size: Size, grid: &Grid, vendors: usize, covariates: usize) -> Self {
        let mut layout = Layout::new();
        let Size {
            hidden,
            context,
            embedding,
        } = size;
        let mut network = Network {
            vendor: layout.embedding(vendors, embedding),
            history: [
                layout.dense(4, CHANNELS),
                layout.dense(2 * CHANNELS, CHANNELS),
                layout.dense(2 * CHANNELS, CHANNELS),
            ],
            context: layout.dense(FEATURES + covariates + embedding + CHANNELS, hidden),
            summary: layout.dense(hidden, context),
            first: layout.dense(hidden, hidden),
            gru: layout.gru(BEFORE + context, hidden),
            time: layout.dense(hidden, grid.times() + 1),
            time_embedding: layout.embedding(grid.times() + 1, embedding),
            share_hidden: layout.dense(hidden + embedding, hidden),
            share: layout.dense(hidden, grid.shares()),
            params: layout.params(),
            time_draw: Inverse::new(&mut layout, grid.times() + 1),
            share_draw: Inverse::new(&mut layout, grid.shares()),
            layout: Layout::new(),
            grid: grid.clone(),
            covariates,
            size,
        };
        network.layout = layout;
        network
    }

    /// The number of parameters of the model.
    pub(super) fn params(&self) -> usize {
        self.params
    }

    /// Parameters of the model with the constants that draws need.
    #[expect(clippy::cast_precision_loss, reason = "periods")]
    pub(super) fn with_constants(&self, params: &[f64]) -> Vec<f64> {
        let mut theta = params.to_vec();
        theta.resize(self.layout.params(), 0.0);
        let last = self.grid.times() - 1;
        let times = |class: usize| self.grid.time_cell(class.min(last));
        let [low, high] = [0, 1].map(|end| move |limits: [i64; 2]| limits[end] as f64);
        let time_tables = |class| [low(times(class)), high(times(class)) - low(times(class))];
        self.time_draw.fill(&mut theta, &time_tables);
        let share_tables = |class| {
            let [low, high] = self.grid.share_cell(class);
            [low, high - low]
        };
        self.share_draw.fill(&mut theta, &share_tables);
        theta
    }

    pub(super) fn initial(&self, seed: u64) -> Vec<f64> {
        let mut theta = self.layout.initial(seed);
        theta.truncate(self.params);
        for layer in [self.time, self.share] {
            for weight in layer.weights_mut(&mut theta) {
                *weight *= 0.1;
            }
        }
        // What a log never varies (it may hold no minimum, no batch, no promise) keeps its first weights: they are zero.
        let inputs = self.context.inputs();
        for row in self
            .context
            .weights_mut(&mut theta)
            .chunks_exact_mut(inputs)
        {
            row[2..FEATURES + self.covariates].fill(0.0);
        }
        theta
    }

    /// Rows of an order: plain ones, covariates, history.
    pub(super) fn rows(&self) -> usize {
        PLAIN + self.covariates + 2 * AGES
    }

    /// The context of an order, and the decoder before its first piece.
    pub(super) fn begin<S: Scalar>(&self, theta: &[S], rows: &[S]) -> (Vec<S>, Decoder<S>) {
        let (plain, rest) = rows.split_at(PLAIN);
        let (covariates, history) = rest.split_at(self.covariates);
        let mut inputs = self.features(plain);
        inputs.extend_from_slice(covariates);
        self.vendor.apply(theta, plain[8], &mut inputs);
        inputs.extend(self.history(theta, history, plain[1]));
        let apply = |layer: &Dense, inputs: &[S], activation| {
            let mut out = Vec::new();
            layer.apply(theta, &[inputs], activation, &mut out);
            out
        };
        let hidden = apply(&self.context, &inputs, Activation::Silu);
        let context = apply(&self.summary, &hidden, Activation::Silu);
        let hidden = apply(&self.first, &hidden, Activation::Tanh);
        let [zero, one] = [0.0, 1.0].map(S::constant);
        let before = [zero, zero, zero, zero, one, zero];
        (context, Decoder { hidden, before })
    }

    /// Numbers without unit, of the order of one.
    fn features<S: Scalar>(&self, plain: &[S]) -> Vec<S> {
        let number = S::constant;
        let units = plain[0].max(number(1e-6));
        let limited = |x: S| x.min(number(4.0));
        let ratio = (units / plain[1]).ln();
        vec![
            (number(1.0) + units).ln() * number(0.2),
            ratio.clip(number(-4.0), number(4.0)),
            limited(plain[2] / units),
            limited(plain[3] / units),
            plain[4],
            plain[5],
            plain[6] * number(self.per_period() * 4.0),
            plain[7],
        ]
    }

    /// Two taps, dilated: what the convolution says in the newest period.
    fn history<S: Scalar>(&self, theta: &[S], history: &[S], usual: S) -> Vec<S> {
        let one = S::constant(1.0);
        let mut x: Vec<S> = history
            .iter()
            .map(|&units| (one + units / usual).ln())
            .collect();
        for layer in &self.history {
            let mut y = Vec::new();
            for pair in x.chunks_exact(layer.inputs()) {
                layer.apply(theta, &[pair], Activation::Silu, &mut y);
            }
            x = y;
        }
        x
    }

    #[expect(clippy::cast_precision_loss, reason = "periods")]
    fn per_period(&self) -> f64 {
        1.0 / (self.grid.last() - self.grid.first() + 1) as f64
    }

    /// The decoder's state after reading the piece before.
    pub(super) fn advance<S: Scalar>(
        &self,
        theta: &[S],
        context: &[S],
        decoder: &Decoder<S>,
    ) -> Vec<S> {
        let scale = S::constant(2.0 * self.per_period());
        let mut inputs = decoder.before.to_vec();
        inputs[0] = inputs[0] * scale;
        inputs[1] = inputs[1] * scale;
        inputs.extend_from_slice(context);
        self.gru.apply(theta, &inputs, &decoder.hidden)
    }

    /// The logarithms of the probabilities of the cells of time, then of "nothing more".
    #[expect(clippy::cast_precision_loss, reason = "periods")]
    pub(super) fn times<S: Scalar>(
        &self,
        theta: &[S],
        hidden: &[S],
        before: &[S; BEFORE],
    ) -> Vec<S> {
        let number = S::constant;
        let mut logits = Vec::new();
        self.time
            .apply(theta, &[hidden], Activation::Identity, &mut logits);
        let [elapsed, first] = [before[1], before[4]];
        let later = (number(1.0) - first) * number(MASKED);
        for (cell, logit) in logits[..self.grid.times()].iter_mut().enumerate() {
            let [low, high] = self.grid.time_cell(cell);
            // Later pieces come later, and nothing comes after the last period.
            if high <= 1 {
                *logit = *logit + later;
            } else if low > 0 {
                let room = self.grid.last() - low;
                let beyond = (elapsed - number(room as f64 + 0.5)).positive();
                *logit = *logit + beyond * number(MASKED);
            }
        }
        let mut logs = Vec::new();
        S::log_softmax(&logits, &mut logs);
        logs
    }

    /// The logarithms of the probabilities of the cells of shares, given the cell of time.
    pub(super) fn shares<S: Scalar>(
        &self,
        theta: &[S],
        hidden: &[S],
        time: S,
        complete: S,
    ) -> Vec<S> {
        let mut embedded = Vec::new();
        self.time_embedding.apply(theta, time, &mut embedded);
        let (mut inner, mut logits, mut logs) = (Vec::new(), Vec::new(), Vec::new());
        self.share_hidden
            .apply(theta, &[hidden, &embedded], Activation::Silu, &mut inner);
        self.share
            .apply(theta, &[&inner], Activation::Identity, &mut logits);
        // What is complete cannot be completed.
        logits[0] = logits[0] + complete * S::constant(MASKED);
        S::log_softmax(&logits, &mut logs);
        logs
    }

    /// Draws the next piece by inverse distribution functions of three uniform numbers: cell of time, cell of share, place within both.
    /// `open` is 1 where there may be one, else 0; `theta` ends with the constants.
    #[expect(clippy::cast_precision_loss, reason = "periods")]
    pub(super) fn draw<S: Scalar>(
        &self,
        theta: &[S],
        context: &[S],
        decoder: &mut Decoder<S>,
        open: S,
        uniform: &[S],
    ) -> Drawn<S> {
        let number = S::constant;
        let one = number(1.0);
        decoder.hidden = self.advance(theta, context, decoder);
        let before = decoder.before;
        let cells = self.grid.times();
        let logs = self.times(theta, &decoder.hidden, &before);
        let [class, low, width] = self.time_draw.draw(theta, &logs, uniform[0]);
        let some = open * (number(cells as f64 - 0.5) - class).positive();
        let within = (uniform[2] * width - number(0.5)).round(RoundGradient::Zero);
        let gap = low + within.max(number(0.0)).min(width - one);
        // Where a cell reaches back before the piece before.
        let gap = S::select(before[4], gap, gap.max(one));
        let time = (before[1] + gap).min(number(self.grid.last() as f64));
        let logs = self.shares(theta, &decoder.hidden, class, before[5]);
        let [class, low, width] = self.share_draw.draw(theta, &logs, uniform[1]);
        let rest = (number(0.5) - class).positive();
        let left = (one - before[3]).relu();
        let share = S::select(rest, left, low + width * uniform[2]);
        let share = some * share;
        let so_far = before[3] + share;
        let complete = (so_far - number(1.0 - 1e-6)).positive();
        decoder.before = [gap, time, share, so_far, number(0.0), complete];
        Drawn { time, share, some }
    }
}

/// Draws of a class by the inverse of its distribution function, as two products: with sums of the probabilities up to each class, and of the classes passed with
/// what changes from class to class. Far fewer operations than one for each class.
#[derive(Debug, Clone, Copy)]
struct Inverse {
    classes: usize,
    sums: Dense,
    tables: Dense,
}

impl Inverse {
    fn new(layout: &mut Layout, classes: usize) -> Self {
        Inverse {
            classes,
            sums: layout.dense(classes, classes - 1),
            tables: layout.dense(classes - 1, 3),
        }
    }

    /// Writes the constants: sums of all classes up to each, then the class's number and its entries of two tables as what is added where a class is passed.
    fn fill(&self, theta: &mut [f64], tables: &dyn Fn(usize) -> [f64; 2]) {
        let passed = self.classes - 1;
        let weights = self.sums.weights_mut(theta);
        for (class, row) in weights.chunks_exact_mut(self.classes).enumerate() {
            row[..=class].fill(1.0);
        }
        let weights = self.tables.weights_mut(theta);
        weights[..passed].fill(1.0);
        for class in 0..passed {
            let [now, then] = [tables(class), tables(class + 1)];
            weights[passed + class] = then[0] - now[0];
            weights[2 * passed + class] = then[1] - now[1];
        }
        self.tables.bias_mut(theta)[1..].copy_from_slice(&tables(0));
    }

    /// The number of the class, and its entries of the two tables.
    fn draw<S: Scalar>(&self, theta: &[S], logs: &[S], uniform: S) -> [S; 3] {
        let chances: Vec<S> = logs.iter().map(|log| log.exp()).collect();
        let mut below = Vec::with_capacity(self.classes);
        self.sums
            .apply(theta, &[&chances], Activation::Identity, &mut below);
        let above: Vec<S> = below.iter().map(|&below| uniform - below).collect();
        let passed: Vec<S> = above.iter().map(|above| above.positive()).collect();
        let mut found = Vec::with_capacity(3);
        self.tables
            .apply(theta, &[&passed], Activation::Identity, &mut found);
        [found[0], found[1], found[2]]
    }
}
