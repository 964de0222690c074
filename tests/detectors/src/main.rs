//! `stipend-bench-detectors`: precision, recall, false alarms and cost of the detectors.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::Parser;
use comfy_table::Table;
use stipend_bench_detectors::{
    azure,
    measure::{measure, Measured},
    plot,
    scene::Scene,
    set::{generate, HELD_OUT, SETS},
    speed,
};
use stipend_detectors::{Memory, Rule};

/// Measures the detectors on committed scenes and on a production trace.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// Where the pictures go.
    #[arg(long, value_name = "DIR", default_value = "target/bench")]
    out: PathBuf,
    /// Write the committed scenes anew into this folder, and do nothing else.
    #[arg(long, value_name = "DIR")]
    write_scenes: Option<PathBuf>,
    /// Name every scene that was missed or found wrongly.
    #[arg(long)]
    verbose: bool,
}

fn main() -> Result<()> {
    let options = Options::parse();
    if let Some(folder) = &options.write_scenes {
        return write_scenes(folder);
    }
    fs::create_dir_all(&options.out).with_context(|| format!("cannot make {}", options.out.display()))?;
    for set in SETS {
        let measured = measure(&set)?;
        print(set.name, &measured, options.verbose);
        let path = options.out.join(format!("detectors-{}.svg", set.name));
        plot::bars(&path, set.name, &measured)?;
        println!("drawn: {}\n", path.display());
    }
    replays()?;
    costs()
}

fn write_scenes(folder: &Path) -> Result<()> {
    for set in SETS {
        let mut text =
            format!("# Written by `stipend-bench-detectors --write-scenes` from seed {}.\n", set.seed);
        generate(set.seed).iter().for_each(|scene: &Scene| scene.lines(&mut text));
        let path = folder.join(format!("{}.txt", set.name));
        fs::write(&path, &text).with_context(|| format!("cannot write {}", path.display()))?;
        println!("{}: {} kB", path.display(), text.len() / 1_000);
    }
    Ok(())
}

fn print(name: &str, measured: &Measured, is_verbose: bool) {
    println!(
        "{name} set: {} scenes ({} honest) with {} requests ({} honest)",
        measured.scenes, measured.honest_scenes, measured.requests, measured.honest_requests
    );
    let mut table = Table::new();
    table.set_header(["rule", "precision", "recall", "level 0", "level 1", "level 2", "level 3", "wrong"]);
    for (rule, score) in Rule::ALL.iter().zip(&measured.scores) {
        let mut row = vec![rule.name().to_owned()];
        row.push(format!("{:.3}", score.precision()));
        row.push(format!("{:.3}", score.recall()));
        row.extend(score.levels.iter().map(|(found, there)| format!("{found}/{there}")));
        row.push(score.wrong.len().to_string());
        table.add_row(row);
    }
    println!("{table}");
    if is_verbose {
        for (rule, score) in Rule::ALL.iter().zip(&measured.scores) {
            score
                .wrong
                .iter()
                .for_each(|(number, kind)| println!("{}: wrong in scene {number}, {kind}", rule.name()));
            score
                .missed
                .iter()
                .for_each(|(number, kind)| println!("{}: missed in scene {number}, {kind}", rule.name()));
        }
    }
}

fn replays() -> Result<()> {
    println!("{} hours of a production trace, honest throughout:", azure::HOURS);
    let mut table = Table::new();
    table.set_header(["who sent what", "requests", "alerted", "percent"]);
    for replayed in azure::replay_all()? {
        table.add_row([
            format!("{:?}", replayed.owners),
            replayed.requests.to_string(),
            replayed.alerted.to_string(),
            format!("{:.4}", replayed.percent()),
        ]);
    }
    println!("{table}\n");
    Ok(())
}

fn costs() -> Result<()> {
    let speed = speed::measure(&HELD_OUT)?;
    println!(
        "one observation: {} ns on the whole, half below {} ns, 99 of 100 below {} ns",
        speed.observe_mean_ns, speed.observe_ns.0, speed.observe_ns.1
    );
    for (bytes, ns) in speed.sketch_ns {
        println!("sketching a prompt of {bytes} bytes: {:.1} us", ns as f64 / 1e3);
    }
    let memory = Memory::default();
    println!(
        "memory: at most {} MB in all, {:.1} kB for each of {} wallets, its prompts aside",
        memory.bytes_max() / 1_000_000,
        Memory::wallet_bytes_max() as f64 / 1e3,
        memory.wallets_max
    );
    Ok(())
}
