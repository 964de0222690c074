//! Builds the runtime that comes after this one: the same source with the next version number, as
//! whoever maintains it would.
//!
//! It repeats the command by which the runtime's WASM was built, on a copy of the source. What the
//! two have in common is compiled already, so it takes a minute, and nothing if nothing changed.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{ensure, Context, Result};
use toml::{Table, Value};

use crate::{process::program, services::repository};

/// What the builder of the runtime's WASM says before the command that it runs.
const MARK: &str = "Executing build command:";

/// Name of the library, and with it of the file that is built.
const LIBRARY: &str = "stipend_next_runtime";

/// A runtime with the next version number.
pub struct NextRuntime {
    /// The WASM.
    pub code: Vec<u8>,
    /// Its version.
    pub spec_version: u32,
}

/// Builds it.
pub fn build() -> Result<NextRuntime> {
    let spec_version = stipend_runtime::VERSION.spec_version + 1;
    let built = program("stipend-node")?.parent().context("programs stand in a folder")?.to_path_buf();
    let original = built.join("wbuild").join("stipend-runtime");
    let copy = repository().join("target").join("next-runtime");
    // Side by side: cargo takes what lies inside of a workspace for a part of it.
    let (workspace, copy) = (copy.join("workspace"), copy.join("project"));
    copy_runtime(&workspace, spec_version)?;
    copy_project(&original, &copy, &workspace.join("runtime"))?;
    let command = last_command(&built)?;
    let manifest = |project: &Path| format!("--manifest-path={}", project.join("Cargo.toml").display());
    ensure!(command.contains(&manifest(&original)), "the build command names no manifest: {command}");
    // The job server of that build is gone; cargo makes its own.
    let command = command
        .replace(&manifest(&original), &manifest(&copy))
        .replace("CARGO_MAKEFLAGS=", "FORMER_MAKEFLAGS=");
    println!("Building the next runtime, version {spec_version} …");
    let output = Command::new("sh").arg("-c").arg(&command).current_dir(&copy).output()?;
    ensure!(output.status.success(), "`{command}` failed:\n{}", String::from_utf8_lossy(&output.stderr));
    let file = original.join("target/wasm32v1-none/release").join(format!("{LIBRARY}.wasm"));
    let code = fs::read(&file).with_context(|| format!("{} was not built", file.display()))?;
    Ok(NextRuntime { code, spec_version })
}

/// Copies the runtime's source into a workspace of its own and gives it another version number.
fn copy_runtime(workspace: &Path, spec_version: u32) -> Result<()> {
    let repository = repository();
    for folder in ["runtime/src", "chain-spec"] {
        copy_folder(&repository.join(folder), &workspace.join(folder))?;
    }
    let source = workspace.join("runtime/src/lib.rs");
    let text = fs::read_to_string(&source)?;
    let line = |version: u32| format!("spec_version: {version},");
    let changed = text.replace(&line(spec_version - 1), &line(spec_version));
    ensure!(changed != text, "the runtime's source has no `{}`", line(spec_version - 1));
    write(&source, &changed)?;

    let mut root: Table = toml::from_str(&fs::read_to_string(repository.join("Cargo.toml"))?)?;
    let members = root.get_mut("workspace").and_then(Value::as_table_mut).context("the workspace")?;
    members.insert("members".into(), Value::Array(vec!["runtime".into()]));
    let dependencies = members.get_mut("dependencies").and_then(Value::as_table_mut);
    for (_, dependency) in dependencies.context("the workspace's dependencies")?.iter_mut() {
        if let Some(path) = dependency.get_mut("path") {
            let there = repository.join(path.as_str().unwrap_or_default());
            *path = Value::String(there.display().to_string());
        }
    }
    write(&workspace.join("Cargo.toml"), &toml::to_string(&root)?)?;
    // What builds the WASM is at work already, so the copy has nothing to build.
    let mut manifest: Table = toml::from_str(&fs::read_to_string(repository.join("runtime/Cargo.toml"))?)?;
    for unused in ["build-dependencies", "dev-dependencies"] {
        manifest.remove(unused);
    }
    if let Some(features) = manifest.get_mut("features").and_then(Value::as_table_mut) {
        features.insert("std".into(), Value::Array(Vec::new()));
    }
    write(&workspace.join("runtime/Cargo.toml"), &toml::to_string(&manifest)?)
}

/// Copies the project that the builder made around the runtime, for the copy of the runtime.
fn copy_project(original: &Path, copy: &Path, runtime: &Path) -> Result<()> {
    let manifest = original.join("Cargo.toml");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("{} is missing: run `make build` first", manifest.display()))?;
    let mut project: Table = toml::from_str(&text)?;
    project["dependencies"]["wasm-project"]["path"] = Value::String(runtime.display().to_string());
    project["lib"]["name"] = LIBRARY.into();
    project["package"]["name"] = "stipend-next-runtime".into();
    write(&copy.join("Cargo.toml"), &toml::to_string(&project)?)?;
    write(&copy.join("src/lib.rs"), &fs::read_to_string(original.join("src/lib.rs"))?)?;
    write(&copy.join("Cargo.lock"), &fs::read_to_string(original.join("Cargo.lock"))?)
}

/// The command by which the runtime's WASM was built last, from what its build script said.
fn last_command(built: &Path) -> Result<String> {
    let mut newest: Option<(SystemTime, String)> = None;
    for entry in fs::read_dir(built.join("build"))?.flatten() {
        if !entry.file_name().to_string_lossy().starts_with("stipend-runtime-") {
            continue;
        }
        let file: PathBuf = entry.path().join("output");
        let (Ok(text), Ok(metadata)) = (fs::read_to_string(&file), fs::metadata(&file)) else { continue };
        let Some(command) = text.lines().rev().find_map(|line| line.split_once(MARK)) else { continue };
        let modified = metadata.modified()?;
        if newest.as_ref().is_none_or(|(time, _)| *time < modified) {
            newest = Some((modified, command.1.trim_start_matches(|c| c != ' ').trim().to_owned()));
        }
    }
    newest.map(|(_, command)| command).context("the WASM's build left no command: run `make build` first")
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            write(&target, &fs::read_to_string(entry.path())?)?;
        }
    }
    Ok(())
}

/// Writes a file unless it is there already, so that nothing is built again for nothing.
fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::create_dir_all(path.parent().context("a file stands in a folder")?)?;
    Ok(fs::write(path, text)?)
}
