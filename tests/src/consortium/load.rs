//! Requests that employees make while the validators have their troubles.

use std::{
    sync::{
        atomic::{AtomicBool, AtomicUsize, Ordering},
        Arc,
    },
    time::Duration,
};

use anyhow::{Context, Result};
use tokio::{sync::Semaphore, task::JoinHandle};

use crate::{
    company::{MODEL_GENERAL, MODEL_REASONING},
    replay::{Answer, Call, Replay},
    stage::Stage,
    trace::Request,
};

/// Pause between two requests.
const PACE: Duration = Duration::from_millis(200);

/// Requests that may wait for an answer at once: while the gateway admits nothing, callers wait.
const WAITING_MAX: usize = 16;

/// Attempts at one request: a gateway that sees no final blocks refuses for as long as that lasts.
const ATTEMPTS_MAX: u32 = 10_000;

/// A steady stream of OpenAI calls through the stage's gateway.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    task: JoinHandle<Result<Vec<Answer>>>,
}

impl Load {
    /// Begins; every request is insisted on until it is answered.
    pub fn start(stage: &Stage) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let replay = Replay { gateway_url: stage.gateway_url(), speed: 1.0, attempts_max: ATTEMPTS_MAX };
        let keys = stage.company.employees.iter().map(|employee| employee.api_key.clone()).collect();
        let task = tokio::spawn(run(replay, keys, stop.clone(), answered.clone()));
        Load { stop, answered, task }
    }

    /// Requests answered so far.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends the stream and waits until the last request is answered.
    pub async fn finish(self) -> Result<Vec<Answer>> {
        self.stop.store(true, Ordering::Relaxed);
        self.task.await.context("the load ended by itself")?
    }
}

async fn run(
    replay: Replay,
    keys: Vec<String>,
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
) -> Result<Vec<Answer>> {
    let http = reqwest::Client::builder().tcp_nodelay(true).build()?;
    let waiting = Arc::new(Semaphore::new(WAITING_MAX));
    let mut tasks = Vec::new();
    for index in 0.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let permit = waiting.clone().acquire_owned().await?;
        let call = Call {
            index,
            request: Request { at: Duration::ZERO, input: 100 + index as u32 % 50, output: 5 },
            api_key: keys[index % keys.len()].clone(),
            model: if index % 2 == 0 { MODEL_GENERAL } else { MODEL_REASONING }.into(),
            stream: index % 3 == 0,
        };
        let (replay, http, answered) = (replay.clone(), http.clone(), answered.clone());
        tasks.push(tokio::spawn(async move {
            let answer = replay.insist(&http, &call).await?;
            answered.fetch_add(1, Ordering::Relaxed);
            drop(permit);
            anyhow::Ok(answer)
        }));
        tokio::time::sleep(PACE).await;
    }
    let mut answers = Vec::with_capacity(tasks.len());
    for task in tasks {
        answers.push(task.await??);
    }
    Ok(answers)
}
