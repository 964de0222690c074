use super::*;

fn sketcher(secret: u8) -> Sketcher {
    Sketcher::new(Secret::new([secret; 32]))
}

/// A text of so many words, another one for each number.
fn text(number: u64, words: u64) -> String {
    let letters = |mut n: u64| {
        let mut word = String::new();
        while n > 0 {
            word.push((b'a' + (n % 26) as u8) as char);
            n /= 26;
        }
        word
    };
    (0..words).map(|at| letters(7 + (number * 1_000 + at) * 7_919 % 100_003)).collect::<Vec<_>>().join(" ")
}

fn user(text: &str) -> Sketch {
    sketcher(1).prompt([(Role::User, text)])
}

#[test]
fn case_and_spaces_make_no_other_prompt() {
    assert_eq!(user("What is  a tide?\n"), user("what IS a tide?"));
    assert_ne!(user("What is a tide?").exact, user("What is the tide?").exact);
}

#[test]
fn another_secret_makes_other_digests_of_everything() {
    let (one, two) = (sketcher(1), sketcher(2));
    let long = text(1, 100);
    let sketches = [&one, &two].map(|sketcher| sketcher.prompt([(Role::User, long.as_str())]));
    assert_ne!(sketches[0].exact, sketches[1].exact);
    assert_ne!(sketches[0].opening, sketches[1].opening);
    assert!(!sketches[0].is_like(&sketches[1]));
    let address = "192.0.2.7".parse().expect("an address");
    assert_ne!(one.origin(address, "a"), two.origin(address, "a"));
    assert_ne!(one.purpose("eval"), two.purpose("eval"));
    assert_ne!(one.tool_calls([("ls", "{}")]), two.tool_calls([("ls", "{}")]));
}

#[test]
fn a_changed_word_or_a_counter_leaves_a_long_prompt_alike() {
    for words in [60u64, 120, 400, 2_000] {
        let plain = text(words, words);
        let sketch = user(&plain);
        let changed = plain.replacen(' ', " ahem ", 1);
        for other in [changed, format!("{plain} 1763"), format!("{plain} and more"), format!("17 {plain}")] {
            assert!(sketch.is_like(&user(&other)), "{words} words");
            assert_ne!(sketch.exact, user(&other).exact);
        }
    }
}

#[test]
fn another_text_or_half_of_it_is_not_alike() {
    for words in [60u64, 400, 2_000] {
        let sketch = user(&text(1, words));
        assert!(!sketch.is_like(&user(&text(2, words))));
        let half = format!("{} {}", text(1, words / 2), text(3, words / 2));
        assert!(!sketch.is_like(&user(&half)));
    }
}

#[test]
fn another_question_about_the_same_document_is_not_alike() {
    let document = text(1, 3_000);
    let [one, two] = [2, 3].map(|number| user(&format!("{document} {}", text(number, 15))));
    assert!(!one.is_like(&two));
    let [one, two] = [2, 3].map(|number| user(&format!("{} {document}", text(number, 15))));
    assert!(!one.is_like(&two));
}

#[test]
fn a_conversation_that_has_grown_is_not_alike_and_keeps_its_opening() {
    let (rules, question, answer) = (text(1, 500), text(2, 60), text(3, 300));
    let first = [(Role::System, rules.as_str()), (Role::User, question.as_str())];
    let later = first.into_iter().chain([(Role::Assistant, answer.as_str()), (Role::User, "Go on, please.")]);
    let (first, later) = (sketcher(1).prompt(first), sketcher(1).prompt(later));
    assert!(!first.is_like(&later));
    assert_eq!(first.opening, later.opening);
    assert_eq!((first.turns, later.turns), (2, 4));
}

#[test]
fn short_prompts_are_alike_only_if_they_are_equal() {
    assert!(user("Is 17 a prime?").is_like(&user("is 17 a prime?")));
    assert!(!user("Is 17 a prime?").is_like(&user("Is 19 a prime?")));
}

#[test]
fn who_wrote_a_message_and_where_it_ends_are_part_of_the_prompt() {
    let sketcher = sketcher(1);
    let exact = |messages: &[(Role, &str)]| sketcher.prompt(messages.iter().copied()).exact;
    let sketches = [
        exact(&[(Role::User, "a b")]),
        exact(&[(Role::Assistant, "a b")]),
        exact(&[(Role::User, "a"), (Role::User, "b")]),
        exact(&[]),
        exact(&[(Role::User, "")]),
    ];
    let different: std::collections::HashSet<_> = sketches.iter().collect();
    assert_eq!(different.len(), sketches.len());
}

#[test]
fn an_origin_is_a_network_and_a_program_and_no_host() {
    let origin = |address: &str, agent| sketcher(1).origin(address.parse().expect("an address"), agent);
    assert_eq!(origin("192.0.2.7", "x"), origin("192.0.2.250", "x"));
    assert_eq!(origin("192.0.2.7", "x"), origin("::ffff:192.0.2.7", "x"));
    assert_ne!(origin("192.0.2.7", "x").network, origin("192.0.3.7", "x").network);
    assert_eq!(origin("2001:db8:1::1", "x"), origin("2001:db8:1:ffff::2", "x"));
    assert_ne!(origin("2001:db8:1::1", "x").network, origin("2001:db8:2::1", "x").network);
    assert_ne!(origin("192.0.2.7", "x").agent, origin("192.0.2.7", "y").agent);
}

#[test]
fn tool_calls_are_told_apart_by_name_and_arguments() {
    let calls = |calls: &[(&'static str, &'static str)]| sketcher(1).tool_calls(calls.iter().copied());
    assert_eq!(calls(&[]), None);
    assert_eq!(calls(&[("ls", "{}")]), calls(&[("ls", "{}")]));
    assert_ne!(calls(&[("ls", "{}")]), calls(&[("rm", "{}")]));
    assert_ne!(calls(&[("ls", "{}")]), calls(&[("ls", "{\"at\":1}")]));
    assert_ne!(calls(&[("ls", "{}")]), calls(&[("ls", "{}"), ("ls", "{}")]));
}

#[test]
fn a_text_beyond_the_bound_still_counts_for_equality() {
    let long = "word ".repeat(LIKENESS_BYTES_MAX / 5 + 10);
    assert_ne!(user(&format!("{long} one")).exact, user(&format!("{long} two")).exact);
    assert!(user(&format!("{long} one")).is_like(&user(&format!("{long} two"))));
    // A bound in the middle of a letter.
    user(&"ä".repeat(LIKENESS_BYTES_MAX));
}
