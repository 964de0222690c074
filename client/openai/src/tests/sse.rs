use bytes::Bytes;
use proptest::prelude::*;

use crate::sse::{Event, EventSplitter, EventTooLarge};

/// Pushes `stream` in pieces that end at `cuts`; returns the events and the rest.
fn split(stream: &[u8], cuts: &[usize]) -> (Vec<Event>, Bytes) {
    let stream = Bytes::copy_from_slice(stream);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (stream.len() + 1)).collect();
    cuts.push(stream.len());
    cuts.sort_unstable();
    let mut splitter = EventSplitter::default();
    let mut events = Vec::new();
    let mut done = 0;
    for cut in cuts {
        splitter.push(stream.slice(done..cut), &mut events).unwrap();
        done = cut;
    }
    (events, splitter.finish())
}

fn datas(events: &[Event]) -> Vec<Vec<u8>> {
    events.iter().filter_map(|event| event.data().map(|data| data.into_owned())).collect()
}

#[test]
fn all_three_line_ends_are_understood() {
    for end in ["\n", "\r\n", "\r"] {
        let stream =
            format!("data: a{end}{end}: ping{end}{end}event: x{end}data:b{end}data: c{end}{end}data");
        let (events, rest) = split(stream.as_bytes(), &[]);
        assert_eq!(datas(&events), [b"a".to_vec(), b"b\nc".to_vec()]);
        assert_eq!(events.len(), 3);
        assert_eq!(rest, "data");
    }
}

#[test]
fn an_event_is_out_as_soon_as_its_blank_line_is_in() {
    let mut splitter = EventSplitter::default();
    let mut events = Vec::new();
    splitter.push(Bytes::from_static(b"data: a\n"), &mut events).unwrap();
    assert!(events.is_empty());
    splitter.push(Bytes::from_static(b"\n"), &mut events).unwrap();
    assert_eq!(datas(&events), [b"a".to_vec()]);
}

#[test]
fn an_event_in_one_piece_is_not_copied() {
    let piece = Bytes::from_static(b"data: a\n\ndata: b\n\n");
    let mut events = Vec::new();
    EventSplitter::default().push(piece.clone(), &mut events).unwrap();
    assert_eq!(events[1].raw.as_ptr(), piece[9..].as_ptr());
}

#[test]
fn an_endless_event_is_an_error_not_memory() {
    let mut splitter = EventSplitter::new(100);
    let mut events = Vec::new();
    let piece = Bytes::from(vec![b'x'; 60]);
    assert_eq!(splitter.push(piece.clone(), &mut events), Ok(()));
    assert_eq!(splitter.push(piece, &mut events), Err(EventTooLarge { bytes_max: 100 }));
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        lines in prop::collection::vec("(data: ?[a-c]{0,3}|: x|event: e|)", 0..20),
        ends in prop::collection::vec(0..3usize, 20),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let mut stream = Vec::new();
        for (line, end) in lines.iter().zip(ends) {
            stream.extend_from_slice(line.as_bytes());
            stream.extend_from_slice([&b"\n"[..], b"\r\n", b"\r"][end]);
        }
        let (whole, whole_rest) = split(&stream, &[]);
        let (pieces, pieces_rest) = split(&stream, &cuts);

        // The half of a CRLF that ends an event can fall to either side; the meaning cannot.
        prop_assert_eq!(datas(&whole), datas(&pieces));
        for (events, rest) in [(whole, whole_rest), (pieces, pieces_rest)] {
            let mut joined: Vec<u8> = events.iter().flat_map(|event| event.raw.to_vec()).collect();
            joined.extend_from_slice(&rest);
            prop_assert_eq!(&joined, &stream);
        }
    }

    #[test]
    fn events_are_those_of_a_plain_split(
        datas_in in prop::collection::vec("[ -~]{0,40}", 0..12),
        cuts in prop::collection::vec(any::<usize>(), 0..30),
    ) {
        let stream: String = datas_in.iter().map(|data| format!("data: {data}\n\n")).collect();
        let (events, rest) = split(stream.as_bytes(), &cuts);
        let expected: Vec<Vec<u8>> = datas_in.into_iter().map(String::into_bytes).collect();
        prop_assert_eq!(datas(&events), expected);
        prop_assert!(rest.is_empty());
    }
}

#[test]
fn other_data_leaves_the_events_name_as_it_is() {
    let event = Event { raw: Bytes::from_static(b"event: x\r\ndata: a\r\ndata: b\r\nid: 7\r\n\r\n") };
    assert_eq!(event.with_data(b"c"), "event: x\nid: 7\ndata: c\n\n");
}
