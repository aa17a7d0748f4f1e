//! What can be wrong with a file of payoffs.

use crate::error::GamesError;

/// Why a text was refused, with its place.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// There is no text, or no source at all.
    #[error("is empty")]
    Empty,
    /// The text is neither JSON, nor a matrix, nor a game of gambit, or it breaks the rules of its form.
    #[error("{message}")]
    Malformed {
        /// The line, counted from 1.
        line: u64,
        /// The parser's words.
        message: String,
    },
    /// A mark or a word of the form is missing.
    #[error("expected {expected}")]
    Expected {
        /// The line, counted from 1.
        line: u64,
        /// What the form asks for.
        expected: Expected,
    },
    /// A word stands where a number should.
    #[error("{}{word:?} is not {expected}", column.map(|c| format!("column {c}: ")).unwrap_or_default())]
    NotANumber {
        /// The line, counted from 1.
        line: u64,
        /// The column of a matrix, counted from 1.
        column: Option<usize>,
        /// What the number would mean.
        expected: Expected,
        /// The word found.
        word: String,
    },
    /// A row of a matrix is longer or shorter than the first.
    #[error("{found} numbers where the first row has {expected}")]
    Ragged {
        /// The line, counted from 1.
        line: u64,
        /// Length of the first row.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A matrix without numbers.
    #[error("there are no numbers")]
    NoNumbers,
    /// Lists of strategies and players differ in number.
    #[error("{lists} lists of strategies for {players} players")]
    StrategyLists {
        /// The line, counted from 1.
        line: u64,
        /// Lists found.
        lists: usize,
        /// Players of the file.
        players: usize,
    },
    /// An outcome that is not listed.
    #[error("there is no outcome {outcome}, the last is {outcomes}")]
    NoSuchOutcome {
        /// The line, counted from 1.
        line: u64,
        /// The outcome found, counted from 1.
        outcome: usize,
        /// Number of outcomes.
        outcomes: usize,
    },
    /// Something follows the payoffs of the last profile.
    #[error("more numbers than profiles")]
    TooLong {
        /// The line, counted from 1.
        line: u64,
    },
    /// The game has more profiles than the file has numbers.
    #[error("the game has more profiles than the file has numbers")]
    TooManyProfiles {
        /// The line, counted from 1.
        line: u64,
    },
    /// A player's payoffs are nested deeper or less deep than there are players.
    #[error("player {player}: nested {depth} deep, but there are {players} players")]
    Depth {
        /// The player, counted from 0.
        player: usize,
        /// Depth found.
        depth: usize,
        /// Number of players.
        players: usize,
    },
    /// A player's payoffs have another shape than the first player's.
    #[error("player {player}: shape {found:?} differs from player 0's {expected:?}")]
    Shape {
        /// The player, counted from 0.
        player: usize,
        /// Actions of each player by the first player's payoffs.
        expected: Vec<usize>,
        /// The same by this player's.
        found: Vec<usize>,
    },
    /// An array of a player's payoffs has the wrong length.
    #[error("player {player} at {path:?}: {found} entries, expected {expected}")]
    Entries {
        /// The player, counted from 0.
        player: usize,
        /// Where, one index a level.
        path: Vec<usize>,
        /// Length of the first array of this level.
        expected: usize,
        /// Length found.
        found: usize,
    },
    /// A number or an array of payoffs is something else.
    #[error("player {player} at {path:?}: expected {expected}, got {found}")]
    Entry {
        /// The player, counted from 0.
        player: usize,
        /// Where, one index a level.
        path: Vec<usize>,
        /// What belongs there.
        expected: Expected,
        /// The JSON found.
        found: String,
    },
    /// A number or an array of a joint distribution is something else.
    #[error("at {path:?}: expected {}, got {found}", expected.map_or("a number".to_owned(), |length| format!("an array of {length}")))]
    Joint {
        /// Where, one index a level.
        path: Vec<usize>,
        /// The length of the array that belongs there; none for a number.
        expected: Option<usize>,
        /// What was found.
        found: String,
    },
    /// Payoffs that are no array with an array for each player.
    #[error("must be an array, one nested array of payoffs for each player")]
    NoPlayers,
    /// A whole game among the payoffs of single players.
    #[error("source {source_number} is a whole game; give it alone")]
    WholeGame {
        /// The source, counted from 0.
        source_number: usize,
    },
    /// The payoffs make no game.
    #[error(transparent)]
    Game(#[from] GamesError),
}

/// What a form asks for at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Expected {
    /// `NFG`, the first word of a game of gambit.
    Nfg,
    /// `1`, the version of the form.
    Version,
    /// `R` or `D`: rational or decimal payoffs.
    NumberType,
    /// The title, in quotes.
    Title,
    /// `{`.
    Opening,
    /// `}`.
    Closing,
    /// A number.
    Number,
    /// A number of strategies.
    StrategyCount,
    /// The number of an outcome.
    Outcome,
    /// An array.
    Array,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nfg => "NFG",
            Self::Version => "1",
            Self::NumberType => "R or D",
            Self::Title => "the title in quotes",
            Self::Opening => "\"{\"",
            Self::Closing => "\"}\"",
            Self::Number => "a number",
            Self::StrategyCount => "a number of strategies",
            Self::Outcome => "the number of an outcome",
            Self::Array => "an array",
        })
    }
}

impl ReadError {
    /// The line at fault, counted from 1, where the form has lines.
    #[must_use]
    pub fn line(&self) -> Option<u64> {
        match self {
            Self::Malformed { line, .. }
            | Self::Expected { line, .. }
            | Self::NotANumber { line, .. }
            | Self::Ragged { line, .. }
            | Self::StrategyLists { line, .. }
            | Self::NoSuchOutcome { line, .. }
            | Self::TooLong { line }
            | Self::TooManyProfiles { line } => Some(*line),
            Self::NoNumbers => Some(1),
            _ => None,
        }
    }
}
