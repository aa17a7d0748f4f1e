//! Games in gambit's strategic form, `.nfg`: payoffs by profile or by outcome, the first player's action changing fastest.

use super::NamedGame;
use super::error::{Expected, ReadError};
use crate::game::Game;

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Open,
    Close,
    Text(String),
    Word(String),
}

struct Reader {
    tokens: Vec<(u64, Token)>,
    at: usize,
}

impl Reader {
    fn new(text: &str) -> Self {
        let mut tokens = Vec::new();
        let mut line = 1;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '\n' => line += 1,
                c if c.is_whitespace() || c == ',' => {}
                '{' => tokens.push((line, Token::Open)),
                '}' => tokens.push((line, Token::Close)),
                '"' => {
                    let (start, mut name) = (line, String::new());
                    while let Some(c) = rest.next() {
                        match c {
                            '"' => break,
                            '\\' => name.extend(rest.next()),
                            c => {
                                line += u64::from(c == '\n');
                                name.push(c);
                            }
                        }
                    }
                    tokens.push((start, Token::Text(name)));
                }
                first => {
                    let mut word = String::from(first);
                    while let Some(c) =
                        rest.next_if(|c| !c.is_whitespace() && !matches!(c, ',' | '{' | '}' | '"'))
                    {
                        word.push(c);
                    }
                    tokens.push((line, Token::Word(word)));
                }
            }
        }
        Self { tokens, at: 0 }
    }

    /// The line of the next token, or of the last.
    fn line(&self) -> u64 {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        self.tokens.get(at).map_or(1, |t| t.0)
    }

    fn expected(&self, expected: Expected) -> ReadError {
        ReadError::Expected {
            line: self.line(),
            expected,
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.1)
    }

    fn take(&mut self, wanted: &Token, expected: Expected) -> Result<(), ReadError> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.expected(expected))
        }
    }

    fn text(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Text(text)) => {
                let text = text.clone();
                self.at += 1;
                Some(text)
            }
            _ => None,
        }
    }

    fn word(&mut self) -> Option<String> {
        match self.peek() {
            Some(Token::Word(word)) => {
                let word = word.clone();
                self.at += 1;
                Some(word)
            }
            _ => None,
        }
    }

    /// A number, also as a fraction.
    fn number(&mut self) -> Result<f64, ReadError> {
        self.parsed(Expected::Number, |word| {
            let value = match word.split_once('/') {
                None => word.parse().ok(),
                Some((a, b)) => a
                    .parse::<f64>()
                    .ok()
                    .zip(b.parse::<f64>().ok())
                    .map(|(a, b)| a / b),
            };
            value.filter(|v: &f64| v.is_finite())
        })
    }

    /// The next word as `parse` takes it.
    fn parsed<T>(
        &mut self,
        expected: Expected,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<T, ReadError> {
        let line = self.line();
        let word = self.word().ok_or_else(|| self.expected(expected))?;
        parse(&word).ok_or(ReadError::NotANumber {
            line,
            column: None,
            expected,
            word,
        })
    }

    /// Texts until the brace closes.
    fn names(&mut self) -> Result<Vec<String>, ReadError> {
        self.take(&Token::Open, Expected::Opening)?;
        let mut all = Vec::new();
        while let Some(name) = self.text() {
            all.push(name);
        }
        self.take(&Token::Close, Expected::Closing)?;
        Ok(all)
    }
}

/// Reads a file of the format's version 1.
pub(super) fn parse(text: &str) -> Result<NamedGame, ReadError> {
    let mut reader = Reader::new(text);
    reader.take(&Token::Word("NFG".to_owned()), Expected::Nfg)?;
    reader.take(&Token::Word("1".to_owned()), Expected::Version)?;
    reader
        .word()
        .ok_or_else(|| reader.expected(Expected::NumberType))?;
    reader
        .text()
        .ok_or_else(|| reader.expected(Expected::Title))?;
    let players = reader.names()?;
    let actions = strategies(&mut reader)?;
    if actions.len() != players.len() {
        return Err(ReadError::StrategyLists {
            line: reader.line(),
            lists: actions.len(),
            players: players.len(),
        });
    }
    let _comment = reader.text();
    let shape: Vec<usize> = actions.iter().map(Vec::len).collect();
    let payoffs = payoffs(&mut reader, &shape)?;
    if reader.peek().is_some() {
        return Err(ReadError::TooLong {
            line: reader.line(),
        });
    }
    Ok(NamedGame {
        game: Game::new(shape, payoffs)?,
        players,
        actions,
    })
}

/// The payoffs of each player, row-major.
fn payoffs(reader: &mut Reader, shape: &[usize]) -> Result<Vec<Vec<f64>>, ReadError> {
    let profiles = shape
        .iter()
        .try_fold(1usize, |n, &k| n.checked_mul(k))
        .filter(|n| *n <= reader.tokens.len())
        .ok_or(ReadError::TooManyProfiles {
            line: reader.line(),
        })?;
    let outcomes = if reader.peek() == Some(&Token::Open) {
        Some(outcomes(reader, shape.len())?)
    } else {
        None
    };
    let mut payoffs = vec![vec![0.0; profiles]; shape.len()];
    for count in 0..profiles {
        let index = row_major(count, shape);
        let Some(outcomes) = &outcomes else {
            for tensor in &mut payoffs {
                tensor[index] = reader.number()?;
            }
            continue;
        };
        let line = reader.line();
        let outcome: usize = reader.parsed(Expected::Outcome, |word| word.parse().ok())?;
        // Outcome 0 pays nothing.
        if outcome > 0 {
            let paid = outcomes.get(outcome - 1).ok_or(ReadError::NoSuchOutcome {
                line,
                outcome,
                outcomes: outcomes.len(),
            })?;
            for (tensor, u) in payoffs.iter_mut().zip(paid) {
                tensor[index] = *u;
            }
        }
    }
    Ok(payoffs)
}

/// Numbers of strategies, or their names.
fn strategies(reader: &mut Reader) -> Result<Vec<Vec<String>>, ReadError> {
    reader.take(&Token::Open, Expected::Opening)?;
    let mut all = Vec::new();
    loop {
        match reader.peek() {
            Some(Token::Open) => all.push(reader.names()?),
            Some(Token::Word(_)) => {
                let count: usize =
                    reader.parsed(Expected::StrategyCount, |word| word.parse().ok())?;
                if count > reader.tokens.len() {
                    return Err(ReadError::TooManyProfiles {
                        line: reader.line(),
                    });
                }
                all.push((1..=count).map(|a| a.to_string()).collect());
            }
            _ => break,
        }
    }
    reader.take(&Token::Close, Expected::Closing)?;
    Ok(all)
}

fn outcomes(reader: &mut Reader, players: usize) -> Result<Vec<Vec<f64>>, ReadError> {
    reader.take(&Token::Open, Expected::Opening)?;
    let mut all = Vec::new();
    while reader.peek() == Some(&Token::Open) {
        reader.at += 1;
        let _name = reader.text();
        let payoffs = (0..players)
            .map(|_| reader.number())
            .collect::<Result<_, _>>()?;
        all.push(payoffs);
        reader.take(&Token::Close, Expected::Closing)?;
    }
    reader.take(&Token::Close, Expected::Closing)?;
    Ok(all)
}

/// The row-major number of the profile with number `count` when the first player's action changes fastest.
fn row_major(mut count: usize, shape: &[usize]) -> usize {
    let mut index = 0;
    let mut stride: usize = shape.iter().product();
    for &k in shape {
        stride /= k;
        index += count % k * stride;
        count /= k;
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payoffs_by_profile_with_the_first_player_fastest() {
        let text = "NFG 1 R \"Selten\" { \"Ann\" \"Bob\" } { 3 2 }\n\n1 1 0 2 0 2 1 1 0 3 2 1/2\n";
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.players, ["Ann", "Bob"]);
        assert_eq!(parsed.actions[1], ["1", "2"]);
        assert_eq!(
            parsed.game.payoffs(0).unwrap(),
            [1.0, 1.0, 0.0, 0.0, 0.0, 2.0]
        );
        assert_eq!(
            parsed.game.payoffs(1).unwrap(),
            [1.0, 1.0, 2.0, 3.0, 2.0, 0.5]
        );
    }

    #[test]
    fn payoffs_by_outcome_with_names() {
        let text = r#"NFG 1 R "A \"title\"" { "Ann" "Bob" }
            { { "up" "down" } { "left" "right" } }
            "a comment"
            { { "win" 1, -1 } { "" 2 3 } }
            1 2 0 1"#;
        let parsed = parse(text).unwrap();
        assert_eq!(parsed.actions[0], ["up", "down"]);
        assert_eq!(parsed.game.payoffs(0).unwrap(), [1.0, 0.0, 2.0, 1.0]);
        assert_eq!(parsed.game.payoffs(1).unwrap(), [-1.0, 0.0, 3.0, -1.0]);
    }

    #[test]
    fn faults_have_a_line() {
        let fault = |text: &str| parse(text).unwrap_err();
        let word = fault("NFG 1 R \"t\" { \"a\" } { 2 }\n1\nx");
        assert_eq!(
            (word.line(), word.to_string().as_str()),
            (Some(3), "\"x\" is not a number")
        );
        assert_eq!(
            fault("NFG 1 R \"t\" { \"a\" } { 2 } 1 2 3"),
            ReadError::TooLong { line: 1 }
        );
        assert_eq!(
            fault("NFG 1 R \"t\" { \"a\" \"b\" } { 2 } 1 2"),
            ReadError::StrategyLists {
                line: 1,
                lists: 1,
                players: 2
            }
        );
        assert_eq!(
            fault("NFG 1 R \"t\" { \"a\" } { 2 } { { \"\" 1 } }\n1 2"),
            ReadError::NoSuchOutcome {
                line: 2,
                outcome: 2,
                outcomes: 1
            }
        );
        assert_eq!(fault("EFG 2 R").to_string(), "expected NFG");
        // A count that no memory holds is refused before anything is made of it.
        assert!(matches!(
            fault("NFG 1 R \"t\" { \"a\" } { 99999999999 } 1"),
            ReadError::TooManyProfiles { line: 1 }
        ));
    }
}
