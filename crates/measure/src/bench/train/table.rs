//! The results as text of 80 columns.

use super::job::{System, Task};
use super::results::{Results, StepMemory, Timing};

const COLUMNS: [&str; 9] =
    ["batch", "thr", "ours", "range", "limit", "share", "padded", "packed", "ratio"];

/// All tables; those without a line are left out.
pub(crate) fn text(results: &Results) -> String {
    let Results { batches, growth, orders, epochs, .. } = results;
    let tables = [
        speeds("Training step", batches, Task::Step),
        speeds("Inference", batches, Task::Inference),
        speeds("Step as sizes grow", growth, Task::Step),
        speeds("Inference as sizes grow", growth, Task::Inference),
        speeds("Epoch of steps by order of the utterances", orders, Task::Step),
        speeds("Epoch of a fold of EmoDB, second step and validation included", epochs, Task::Step),
        memory(&results.memory),
    ];
    head(results) + &tables.concat()
}

fn head(results: &Results) -> String {
    let Results { machine, network, runs, .. } = results;
    let torch = results.torch.as_ref().map_or("not at hand", String::as_str);
    format!(
        "{machine}\nPyTorch: {torch}; medians of {runs} alternating runs, and their range\n\
         network {} - {} - 2 x {} - {}: {:.2} MFLOP a frame and step, {:.2} at inference\n\
         kf/s: thousand frames a second; limit: at the rate of sgemm on the network's\n\
         largest product; ratio: to the better of PyTorch's variants\n",
        network.inputs,
        network.linear,
        network.lstm,
        network.classes,
        network.step_flops() / 1e6,
        network.inference_flops() / 1e6,
    )
}

/// A line for each case and number of threads in which ours did the task.
fn speeds(title: &str, timings: &[Timing], task: Task) -> String {
    let ours = timings.iter().filter(|t| (t.system, t.task) == (System::Ours, task));
    let lines: String = ours.map(|ours| line(&cells(ours, timings))).collect();
    if lines.is_empty() {
        return lines;
    }
    format!("\n{title}, kf/s\n{}{lines}", line(&COLUMNS.map(str::to_owned)))
}

fn line(cells: &[String; 9]) -> String {
    let [batch, threads, ours, range, limit, share, padded, packed, ratio] = cells;
    format!(
        "{batch:<17}{threads:>3}{ours:>8}{range:>13}{limit:>7}{share:>7}{padded:>8}{packed:>8}\
         {ratio:>7}\n"
    )
}

/// What a line says of ours, beside those of the same case.
fn cells(ours: &Timing, timings: &[Timing]) -> [String; 9] {
    let beside = |system, task| {
        let same = (&ours.case, ours.threads, system, task);
        timings.iter().find(|t| (&t.case, t.threads, t.system, t.task) == same)
    };
    let limit = beside(System::Ours, Task::Product).map(|t| t.rate() / ours.flops / 1e3);
    let [padded, packed] =
        [System::Padded, System::Packed].map(|s| beside(s, ours.task).map(Timing::speed));
    let best = padded.into_iter().chain(packed).reduce(f64::max);
    let [slowest, fastest] =
        [ours.seconds.greatest, ours.seconds.least].map(|s| ours.kilo_frames(s));
    [
        ours.case.clone(),
        ours.threads.to_string(),
        format!("{:.1}", ours.speed()),
        format!("{slowest:.0} to {fastest:.0}"),
        figure(limit),
        limit.map_or_else(dash, |limit| format!("{:.0} %", 100.0 * ours.speed() / limit)),
        figure(padded),
        figure(packed),
        figure(best.map(|best| ours.speed() / best)),
    ]
}

fn figure(value: Option<f64>) -> String {
    value.map_or_else(dash, |value| format!("{value:.1}"))
}

fn dash() -> String {
    "-".to_owned()
}

fn memory(found: &[StepMemory]) -> String {
    let lines: String = found.iter().map(memory_line).collect();
    if lines.is_empty() {
        return lines;
    }
    let columns =
        format!("{:<17}{:<8}{:>8}{:>8}{:>8}", "batch", "system", "before", "peak", "step");
    format!("\nMemory of a process that does steps alone, MB\n{columns}\n{lines}")
}

fn memory_line(memory: &StepMemory) -> String {
    let [before, peak] =
        [memory.kilobytes.before, memory.kilobytes.peak].map(|kilobytes| kilobytes as f64 / 1e3);
    let system = match memory.system {
        System::Ours => "ours",
        System::Padded => "padded",
        System::Packed => "packed",
    };
    let (case, step) = (&memory.case, peak - before);
    format!("{case:<17}{system:<8}{before:>8.0}{peak:>8.0}{step:>8.0}\n")
}

#[cfg(test)]
mod tests {
    use super::super::cases::batches;
    use super::super::job::Memory;
    use super::super::results::StepMemory;
    use super::*;

    fn results() -> Results {
        let case = &batches()[0];
        let timing = |system, task, seconds: &[f64]| Timing::new(case, 2, (system, task), seconds);
        let kilobytes = Memory { before: 20_000, peak: 220_000 };
        let memory = |system| StepMemory { case: case.name.clone(), system, kilobytes };
        let machine = "a processor, 2 cores, load 0.00 in the last minute".to_owned();
        Results {
            batches: vec![
                timing(System::Ours, Task::Step, &[0.4, 0.5, 0.3]),
                timing(System::Padded, Task::Step, &[1.0]),
                timing(System::Packed, Task::Step, &[0.8]),
                timing(System::Ours, Task::Product, &[0.1]),
                timing(System::Ours, Task::Inference, &[0.1, 0.1, 0.1]),
            ],
            growth: vec![timing(System::Ours, Task::Step, &[0.4])],
            epochs: vec![timing(System::Ours, Task::Step, &[0.4])],
            memory: vec![memory(System::Ours), memory(System::Packed)],
            ..Results::none(machine, Some("2.15.0+cpu".to_owned()), 3)
        }
    }

    #[test]
    fn tables_fit_eighty_columns() {
        let text = text(&results());
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn the_document_names_its_parts() {
        let json = serde_json::to_value(results()).unwrap();
        assert_eq!(json["batches"][1]["system"], "padded");
        assert_eq!(json["batches"][0]["seconds"]["median"], 0.4);
    }
}
