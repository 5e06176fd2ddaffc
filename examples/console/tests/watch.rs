//! A client of the console's protocol looks into the program, and finds what `tokio-console` shows:
//! tasks with their names, places, polls and wakes, and what they wait for.

use console_api::async_ops::AsyncOp;
use console_api::field::Name;
use console_api::instrument::instrument_client::InstrumentClient;
use console_api::instrument::{InstrumentRequest, Update};
use console_api::resources::Resource;
use console_api::tasks::{Stats, Task};
use console_api::{Field, Location};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command};

struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Program {
    /// Starts it on a port that was free, and connects.
    async fn start() -> (Program, InstrumentClient<tonic::transport::Channel>) {
        loop {
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let address: SocketAddr = free.unwrap();
            let child =
                Command::new(env!("CARGO_BIN_EXE_console")).arg(address.to_string()).spawn();
            let mut program = Program(child.unwrap());
            // Until it listens, or has ended since somebody else took the port.
            while program.0.try_wait().unwrap().is_none() {
                match InstrumentClient::connect(format!("http://{address}")).await {
                    Ok(client) => return (program, client.max_decoding_message_size(usize::MAX)),
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        }
    }
}

/// All that the updates have told so far.
#[derive(Default)]
struct Seen {
    tasks: HashMap<u64, Task>,
    stats: HashMap<u64, Stats>,
    resources: HashMap<u64, Resource>,
    attributes: HashMap<u64, Vec<String>>,
    operations: HashMap<u64, AsyncOp>,
    operation_tasks: HashMap<u64, u64>,
}

impl Seen {
    fn add(&mut self, update: Update) {
        if let Some(tasks) = update.task_update {
            self.tasks.extend(tasks.new_tasks.into_iter().map(|task| (task.id.unwrap().id, task)));
            self.stats.extend(tasks.stats_update);
        }
        if let Some(resources) = update.resource_update {
            let new = resources.new_resources.into_iter();
            self.resources.extend(new.map(|resource| (resource.id.unwrap().id, resource)));
            for (id, stats) in resources.stats_update {
                let fields = stats.attributes.iter().filter_map(|a| a.field.as_ref());
                let names = fields.map(|field| name(field).to_owned());
                self.attributes.insert(id, names.collect());
            }
        }
        if let Some(operations) = update.async_op_update {
            let new = operations.new_async_ops.into_iter();
            self.operations.extend(new.map(|op| (op.id.unwrap().id, op)));
            for (id, stats) in operations.stats_update {
                if let Some(task) = stats.task_id {
                    self.operation_tasks.insert(id, task.id);
                }
            }
        }
    }

    fn task(&self, name: &str) -> Option<(&Task, &Stats)> {
        let (id, task) = self.tasks.iter().find(|(_, task)| field(task, "task.name") == name)?;
        Some((task, self.stats.get(id)?))
    }

    /// What is still missing, if anything is.
    fn missing(&self) -> Option<String> {
        for name in ["producer", "consumer", "left", "right", "asker"] {
            let Some((task, stats)) = self.task(name) else { return Some(format!("task {name}")) };
            assert_eq!(field(task, "kind"), "task");
            assert!(is_here(task.location.as_ref()), "{:?}", task.location);
            let polls = stats.poll_stats.as_ref().map_or(0, |polls| polls.polls);
            if polls < 3 || stats.wakes < 2 {
                return Some(format!("polls and wakes of {name}: {stats:?}"));
            }
            // One waker where it waits, and one more while it is handed on.
            let live = stats.waker_clones.checked_sub(stats.waker_drops);
            assert!(live.is_some_and(|live| live <= 2), "{name} has {live:?} wakers: {stats:?}");
        }
        if !self.tasks.values().any(|task| field(task, "kind") == "blocking") {
            return Some("a blocking task".to_owned());
        }
        let wanted = [
            ("Mutex", "locked"),
            ("Semaphore", "permits"),
            ("Sender|Receiver", "value_sent"),
            ("Sender|Receiver", "permits"),
            ("Sleep", "duration"),
        ];
        for (name, attribute) in wanted {
            let found = self.resources.iter().any(|(id, resource)| {
                let has =
                    self.attributes.get(id).is_some_and(|all| all.iter().any(|a| a == attribute));
                resource.concrete_type == name && is_here(resource.location.as_ref()) && has
            });
            if !found {
                return Some(format!("the attribute {attribute} of a {name}"));
            }
        }
        let lock = self.operations.iter().find(|(id, op)| {
            let of = op.resource_id.as_ref().and_then(|id| self.resources.get(&id.id));
            let task = self.operation_tasks.get(*id).and_then(|id| self.tasks.get(id));
            op.source == "Mutex::lock"
                && of.is_some_and(|resource| resource.concrete_type == "Mutex")
                && task.is_some_and(|task| ["left", "right"].contains(&&*field(task, "task.name")))
        });
        lock.is_none().then(|| "who waits for the lock".to_owned())
    }
}

fn is_here(location: Option<&Location>) -> bool {
    location.is_some_and(|location| location.file().ends_with("src/main.rs") && location.line() > 0)
}

fn name(field: &Field) -> &str {
    match &field.name {
        Some(Name::StrName(name)) => name,
        _ => "",
    }
}

fn field(task: &Task, wanted: &str) -> String {
    let found = task.fields.iter().find(|field| name(field) == wanted);
    let value = found.and_then(|field| field.value.as_ref());
    value.map_or_else(String::new, ToString::to_string)
}

#[tokio::test]
async fn the_console_finds_tasks_and_what_they_wait_for() {
    let (program, mut client) = Program::start().await;
    let mut updates = client.watch_updates(InstrumentRequest {}).await.unwrap().into_inner();
    let mut seen = Seen::default();
    loop {
        let update = updates.message().await.unwrap().expect("the program goes on");
        seen.add(update);
        match seen.missing() {
            Some(missing) => eprintln!("not yet: {missing}"),
            None => break,
        }
    }
    drop(program);
}
