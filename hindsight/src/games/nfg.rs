//! Games in gambit's strategic form, `.nfg`: payoffs by profile or by outcome, the first player's action changing fastest.

use games::Game;

/// A game with the names of its file.
#[derive(Debug)]
pub(super) struct Parsed {
    pub(super) game: Game,
    pub(super) players: Vec<String>,
    pub(super) actions: Vec<Vec<String>>,
}

/// What is wrong, and on which line.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) line: u64,
    pub(super) words: String,
}

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

    fn fault(&self, words: impl Into<String>) -> Fault {
        let at = self.at.min(self.tokens.len().saturating_sub(1));
        Fault {
            line: self.tokens.get(at).map_or(1, |t| t.0),
            words: words.into(),
        }
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.1)
    }

    fn take(&mut self, wanted: &Token, name: &str) -> Result<(), Fault> {
        if self.peek() == Some(wanted) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.fault(format!("expected {name}")))
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
    fn number(&mut self) -> Result<f64, Fault> {
        let before = self.at;
        let word = self.word().ok_or_else(|| self.fault("expected a number"))?;
        let value = match word.split_once('/') {
            None => word.parse().ok(),
            Some((a, b)) => a
                .parse::<f64>()
                .ok()
                .zip(b.parse::<f64>().ok())
                .map(|(a, b)| a / b),
        };
        value.filter(|v: &f64| v.is_finite()).ok_or_else(|| {
            self.at = before;
            self.fault(format!("{word:?} is not a number"))
        })
    }

    /// Texts until the brace closes.
    fn names(&mut self) -> Result<Vec<String>, Fault> {
        self.take(&Token::Open, "\"{\"")?;
        let mut all = Vec::new();
        while let Some(name) = self.text() {
            all.push(name);
        }
        self.take(&Token::Close, "\"}\"")?;
        Ok(all)
    }
}

/// Reads a file of the format's version 1.
pub(super) fn parse(text: &str) -> Result<Parsed, Fault> {
    let mut reader = Reader::new(text);
    for wanted in ["NFG", "1"] {
        reader.take(&Token::Word(wanted.to_owned()), wanted)?;
    }
    reader
        .word()
        .ok_or_else(|| reader.fault("expected R or D"))?;
    reader
        .text()
        .ok_or_else(|| reader.fault("expected the title in quotes"))?;
    let players = reader.names()?;
    let actions = strategies(&mut reader)?;
    if actions.len() != players.len() {
        return Err(reader.fault(format!(
            "{} lists of strategies for {} players",
            actions.len(),
            players.len()
        )));
    }
    let _comment = reader.text();
    let shape: Vec<usize> = actions.iter().map(Vec::len).collect();
    let profiles = shape
        .iter()
        .try_fold(1usize, |n, &k| n.checked_mul(k).filter(|n| *n <= 1 << 26))
        .ok_or_else(|| reader.fault("the game has too many profiles"))?;
    let outcomes = if reader.peek() == Some(&Token::Open) {
        Some(outcomes(&mut reader, players.len())?)
    } else {
        None
    };
    let mut payoffs = vec![vec![0.0; profiles]; players.len()];
    for count in 0..profiles {
        let index = row_major(count, &shape);
        match &outcomes {
            None => {
                for tensor in &mut payoffs {
                    tensor[index] = reader.number()?;
                }
            }
            Some(outcomes) => {
                let word = reader
                    .word()
                    .ok_or_else(|| reader.fault("expected the number of an outcome"))?;
                let number: usize = word
                    .parse()
                    .map_err(|_| reader.fault(format!("{word:?} is not an outcome")))?;
                // Outcome 0 pays nothing.
                if number > 0 {
                    let outcome = outcomes
                        .get(number - 1)
                        .ok_or_else(|| reader.fault(format!("there is no outcome {number}")))?;
                    for (tensor, u) in payoffs.iter_mut().zip(outcome) {
                        tensor[index] = *u;
                    }
                }
            }
        }
    }
    if reader.peek().is_some() {
        return Err(reader.fault("more numbers than profiles"));
    }
    let game = Game::new(shape, payoffs).map_err(|e| reader.fault(e.to_string()))?;
    Ok(Parsed {
        game,
        players,
        actions,
    })
}

/// Numbers of strategies, or their names.
fn strategies(reader: &mut Reader) -> Result<Vec<Vec<String>>, Fault> {
    reader.take(&Token::Open, "\"{\"")?;
    let mut all = Vec::new();
    loop {
        match reader.peek() {
            Some(Token::Open) => all.push(reader.names()?),
            Some(Token::Word(_)) => {
                let word = reader.word().unwrap_or_default();
                let count: usize = word
                    .parse()
                    .map_err(|_| reader.fault(format!("{word:?} is not a number of strategies")))?;
                all.push((1..=count).map(|a| a.to_string()).collect());
            }
            _ => break,
        }
    }
    reader.take(&Token::Close, "\"}\"")?;
    Ok(all)
}

fn outcomes(reader: &mut Reader, players: usize) -> Result<Vec<Vec<f64>>, Fault> {
    reader.take(&Token::Open, "\"{\"")?;
    let mut all = Vec::new();
    while reader.peek() == Some(&Token::Open) {
        reader.at += 1;
        let _name = reader.text();
        let payoffs = (0..players)
            .map(|_| reader.number())
            .collect::<Result<_, _>>()?;
        all.push(payoffs);
        reader.take(&Token::Close, "\"}\"")?;
    }
    reader.take(&Token::Close, "\"}\"")?;
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
        assert_eq!(fault("NFG 1 R \"t\" { \"a\" } { 2 }\n1\nx").line, 3);
        assert!(
            fault("NFG 1 R \"t\" { \"a\" } { 2 } 1 2 3")
                .words
                .contains("more numbers")
        );
        assert!(
            fault("NFG 1 R \"t\" { \"a\" \"b\" } { 2 } 1 2")
                .words
                .contains("1 lists")
        );
        assert!(fault("EFG 2 R").words.contains("NFG"));
    }
}
