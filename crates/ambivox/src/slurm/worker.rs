//! One task on a node: resolves its instance by what lies in the store now, and makes it.

use std::num::NonZeroUsize;
use std::path::Path;
use std::time::{Duration, Instant};

use ambivox_artifacts::{Record, Store};
use ambivox_settings::{Shard, exit};
use anyhow::{Context as _, Result, bail};

use super::order::{End, Order, OrderFolder};
use crate::code::Code;
use crate::execute::Executor;
use crate::failure::{exit_code, told};
use crate::graph::{Graph, Instance};
use crate::progress::Progress;
use crate::resolve::Resolver;
use crate::spawn::Program;

/// How long a network file system may take to show what another node has written.
pub(super) const LATE: Duration = Duration::from_secs(90);
/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes the instance of this number of an order, and notes how that ended beside the order.
pub(crate) fn work(file: &Path, number: usize, threads: usize) -> Result<()> {
    let folder = file.parent().context("an order in no folder")?;
    let folder = OrderFolder::at(folder);
    folder.begin_task(number);
    let made = Order::read(file).and_then(|order| make(&order, number, threads));
    let end = match &made {
        Ok(()) => End { code: exit::DONE, message: String::new() },
        Err(error) => End { code: exit_code(error), message: told(error) },
    };
    folder.end_task(number, &end)?;
    made
}

fn make(order: &Order, number: usize, threads: usize) -> Result<()> {
    let unit =
        order.units.get(number).with_context(|| format!("the order has no task {number}"))?;
    let store = Store::open(&order.store)?;
    let _hold = store.hold()?;
    let progress = Progress::new(false);
    let mut resolver = Resolver::new(&order.experiment, &store, Code::own()?);
    resolver.corpus.clone_from(&order.corpus);
    let program = Program::At(order.program.clone());
    let mut executor = Executor::new(resolver, &progress, program, threads);
    for (slot, (stage, key)) in &order.made {
        let look = || Ok(store.record(stage, key)?);
        let record: Record = in_time(slot, look)?;
        executor.resolver.add(slot, record);
    }
    for instance in &order.upstream {
        wait_for(&mut executor, instance)?;
    }
    if let Some(shard) = unit.shard {
        return executor.make_shard(&unit.instance, shard);
    }
    if let Some(of) = order.shards {
        wait_for_shards(&mut executor, &unit.instance, of)?;
    }
    executor.bring_up(&Graph::from(vec![unit.instance.clone()]), 1)
}

/// Waits until the parts of an instance show. What does not is made by the instance itself.
fn wait_for_shards(
    executor: &mut Executor<'_>,
    instance: &Instance,
    of: NonZeroUsize,
) -> Result<()> {
    let started = Instant::now();
    for number in 0..of.get() {
        while !executor.is_shard_made(instance, Shard { number, of })? {
            if started.elapsed() > LATE {
                return Ok(());
            }
            std::thread::sleep(PAUSE);
        }
    }
    Ok(())
}

fn wait_for(executor: &mut Executor<'_>, instance: &Instance) -> Result<()> {
    in_time(&instance.slot, || Ok(executor.is_made(instance)?.then_some(())))
}

/// What `look` finds in the end.
fn in_time<T>(slot: &str, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let started = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if started.elapsed() > LATE {
            bail!(
                "{slot} is not in the store, or is damaged\n\
                 hint: call `cargo xtask` again, which makes it again; if that does not help, the \
                 nodes do not see the same store"
            );
        }
        std::thread::sleep(PAUSE);
    }
}
