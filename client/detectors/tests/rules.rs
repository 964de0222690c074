//! Each rule speaks at its bound and not before it.

mod common;

use common::{findings, request, rules, BEGIN, DAY, HOUR, MINUTE};
use stipend_detectors::{
    Audience, Endpoint, Finish, Observation, Origin, Role, Rule, Secret, Sketch, Sketcher,
};

/// So many requests, a fixed time apart, each changed.
fn requests(count: u64, every_ms: u64, change: impl Fn(u64, &mut Observation)) -> Vec<Observation> {
    let changed = |number| {
        let mut seen = request(number, number * every_ms);
        change(number, &mut seen);
        seen
    };
    (0..count).map(changed).collect()
}

#[test]
fn ordinary_requests_are_not_spoken_of() {
    let ordinary = requests(2_000, 50_000, |number, seen| {
        seen.input_tokens = 200 + (number * 7_919 % 6_000) as u32;
    });
    assert_eq!(rules(ordinary), []);
}

#[test]
fn thirty_equal_prompts_within_hours_are_a_repeat_and_twenty_nine_are_not() {
    let same = |count| requests(count, MINUTE, |_, seen| seen.prompt = Sketch::unknown(5));
    assert_eq!(rules(same(29)), []);
    let found = findings(same(30));
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].audience, found[0].count), (Rule::Repeat, Audience::Person, 30));
    assert_eq!(found[0].from_ms, BEGIN);
    assert_eq!(found[0].to_ms, BEGIN + 29 * MINUTE);
    assert_eq!(found[0].score_permille, 500);
}

#[test]
fn equal_prompts_are_no_repeat_if_they_are_tiny_spread_out_failed_or_have_a_purpose() {
    let same = |change: fn(&mut Observation), every_ms| {
        requests(60, every_ms, |number, seen| {
            seen.prompt = Sketch::unknown(5);
            // No clock's work either.
            seen.input_tokens = 200 + (number % 7) as u32 * 500;
            change(seen);
        })
    };
    assert_eq!(rules(same(|_| {}, MINUTE)), [Rule::Repeat]);
    assert_eq!(rules(same(|seen| (seen.input_tokens, seen.output_tokens) = (9, 1), MINUTE)), []);
    assert_eq!(rules(same(|_| {}, 15 * MINUTE)), []);
    assert_eq!(rules(same(|seen| seen.finish = Finish::Failed, MINUTE)), []);
    assert_eq!(rules(same(|seen| seen.purpose = Some(1), MINUTE)), []);
}

#[test]
fn prompts_that_differ_by_a_counter_are_a_repeat_also_where_another_wallet_began() {
    let sketcher = Sketcher::new(Secret::new([3; 32]));
    let text = |number: u64| {
        let word = |at: u64| (b'a' + (at * at % 23) as u8) as char;
        let words: Vec<String> =
            (0..80).map(|at| format!("{}{}{}", word(at), word(at + 5), word(3 * at))).collect();
        format!("{} {number}", words.join(" "))
    };
    let found = findings(requests(60, MINUTE, |number, seen| {
        seen.prompt = sketcher.prompt([(Role::User, text(number).as_str())]);
        if number == 0 {
            seen.wallet = [9; 32];
        }
    }));
    assert_eq!(
        found.iter().map(|finding| (finding.rule, finding.wallet)).collect::<Vec<_>>(),
        [(Rule::Repeat, [1; 32])]
    );
    assert!(found[0].explanation.contains("give or take a few words"), "{}", found[0].explanation);
}

#[test]
fn a_text_that_somebody_writes_on_is_no_repeat() {
    let sketcher = Sketcher::new(Secret::new([3; 32]));
    let found = rules(requests(200, 20_000, |number, seen| {
        let words: Vec<String> =
            (0..100 + number).map(|at| format!("w{}", (b'a' + (at * 7 % 26) as u8) as char)).collect();
        seen.prompt = sketcher.prompt([(Role::User, words.join(" ").as_str())]);
    }));
    assert_eq!(found, []);
}

#[test]
fn a_script_in_four_wallets_is_copied_and_in_three_is_not() {
    let by = |wallets: u64| {
        requests(7 * wallets, MINUTE, |number, seen| {
            seen.prompt = Sketch::unknown(5);
            seen.wallet = [(number % wallets) as u8; 32];
            seen.key = seen.wallet;
        })
    };
    assert_eq!(rules(by(3)), []);
    let found = findings(by(4));
    assert!(found.iter().all(|finding| finding.rule == Rule::Copied));
    let wallets: Vec<_> = found.iter().map(|finding| finding.wallet[0]).collect();
    assert_eq!(wallets.len(), 4, "each of them is told once: {wallets:?}");
}

#[test]
fn five_prompts_to_five_models_are_a_fan_out_and_to_four_are_not() {
    let to = |models: u64| {
        requests(5 * models, 4_000, |number, seen| {
            seen.prompt = Sketch::unknown(number / models);
            seen.model = (number % models) as u32;
        })
    };
    assert_eq!(rules(to(4)), []);
    assert_eq!(rules(to(5)), [Rule::FanOut]);
}

#[test]
fn providers_of_one_model_are_no_fan_out() {
    let found = rules(requests(25, 4_000, |number, seen| {
        seen.prompt = Sketch::unknown(number / 5);
        seen.provider = (number % 5) as u32;
    }));
    assert_eq!(found, []);
}

#[test]
fn an_agent_in_a_circle_is_a_loop_and_one_that_edits_and_tests_is_not() {
    let agent = |calls: fn(u64) -> u64| {
        requests(80, 9_000, move |number, seen| {
            seen.tool_calls = Some(calls(number));
            seen.prompt.opening = 3;
        })
    };
    assert_eq!(rules(agent(|turn| turn % 3)), [Rule::Loop]);
    assert_eq!(rules(agent(|turn| if turn % 3 == 0 { 100 + turn } else { turn % 3 })), []);
}

#[test]
fn conversations_of_one_wallet_are_looked_at_apart() {
    let found = rules(requests(200, 9_000, |number, seen| {
        seen.prompt.opening = number % 20;
        seen.tool_calls = Some(1);
    }));
    assert_eq!(found, []);
}

#[test]
fn requests_like_a_clocks_for_fourteen_hours_are_clockwork() {
    let every = |hours: u64, change: fn(u64, &mut Observation)| {
        requests(hours * 6 + 1, 10 * MINUTE, move |number, seen| {
            seen.input_tokens = 500 + (number % 3) as u32;
            change(number, seen);
        })
    };
    assert_eq!(rules(every(14, |_, _| {})), [Rule::Clockwork]);
    assert_eq!(rules(every(13, |_, _| {})), []);
    assert_eq!(rules(every(40, |_, seen| seen.purpose = Some(4))), []);
    assert_eq!(rules(every(40, |_, seen| (seen.input_tokens, seen.output_tokens) = (20, 1))), []);
    assert_eq!(rules(every(40, |number, seen| seen.input_tokens = 300 + (number % 4) as u32 * 900)), []);
}

#[test]
fn a_clock_that_rests_at_night_is_a_desk() {
    let found = rules(requests(300, 10 * MINUTE, |number, seen| {
        seen.at_ms = BEGIN + number / 60 * DAY + number % 60 * 10 * MINUTE;
        seen.input_tokens = 500;
    }));
    assert_eq!(found, []);
}

#[test]
fn half_of_the_answers_left_unread_are_spoken_of_and_a_third_is_not() {
    let left = |of: u64| {
        requests(90, 40_000, move |number, seen| {
            seen.fetched_permille = if number % of == 0 { 0 } else { 1_000 };
        })
    };
    assert_eq!(rules(left(3)), []);
    assert_eq!(rules(left(2)), [Rule::Unread]);
}

#[test]
fn completions_while_one_types_may_be_left() {
    let found = rules(requests(200, 2_000, |_, seen| {
        seen.fetched_permille = 0;
        seen.max_tokens = 128;
    }));
    assert_eq!(found, []);
}

#[test]
fn six_times_as_much_on_the_last_day_is_a_burst_and_at_another_time_is_not() {
    let month = |ends_after: u64| {
        let quiet = (0..20u64).map(|day| request(day, day * DAY));
        let burst = (0..8).map(|number| request(100 + number, 20 * DAY + number * 17 * MINUTE));
        let all = quiet.chain(burst).map(move |mut seen| {
            seen.input_tokens = 40_000 + (seen.at_ms % 7) as u32 * 300;
            seen.period_ends_ms = Some(BEGIN + ends_after);
            seen
        });
        rules(all)
    };
    assert_eq!(month(21 * DAY), [Rule::Burst]);
    assert_eq!(month(40 * DAY), []);
}

#[test]
fn a_key_in_many_places_at_once_alerts_security_and_a_build_farm_does_not() {
    let from = |networks: u64, agents: u64| {
        findings(requests(120, 40_000, move |number, seen| {
            seen.origin = Origin { network: number % networks, agent: number % agents };
        }))
    };
    let found = from(5, 3);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].rule, found[0].audience), (Rule::SharedKey, Audience::Security));
    assert_eq!(from(8, 2), []);
    assert_eq!(from(3, 9), []);
}

#[test]
fn answers_that_all_run_to_their_bound_are_an_extraction() {
    let capped = |share: u64| {
        requests(200, 30_000, move |number, seen| {
            seen.finish = if number % 100 < share { Finish::Length } else { Finish::Stop };
        })
    };
    let found = findings(capped(90));
    assert_eq!(found.iter().map(|finding| finding.rule).collect::<Vec<_>>(), [Rule::Extraction]);
    assert_eq!(found[0].audience, Audience::Security);
    assert_eq!(rules(capped(60)), []);
}

#[test]
fn vectors_of_much_text_are_an_extraction_unless_there_is_a_purpose() {
    let embedded = |purpose| {
        requests(400, 5_000, move |_, seen| {
            seen.endpoint = Endpoint::Embeddings;
            seen.input_tokens *= 2;
            seen.purpose = purpose;
        })
    };
    assert_eq!(rules(embedded(None)), [Rule::Extraction]);
    assert_eq!(rules(embedded(Some(1))), []);
}

#[test]
fn hours_are_counted_from_the_first_request_of_a_pattern() {
    let mut all = requests(10, MINUTE, |_, seen| seen.prompt = Sketch::unknown(5));
    all.extend(requests(29, MINUTE, |number, seen| {
        seen.prompt = Sketch::unknown(5);
        seen.at_ms += 8 * HOUR;
        seen.request = [number as u8 + 100; 16];
    }));
    assert_eq!(rules(all), [], "ten of this morning and 29 of this evening are no 39");
}
