#[shinkan::main(threads = 4)]
async fn unknown() {}

#[shinkan::main(flavor = "many")]
async fn unknown_flavor() {}

#[shinkan::main(worker_threads = 0)]
async fn no_workers() {}

#[shinkan::main(worker_threads = "four")]
async fn not_a_number() {}

#[shinkan::main(flavor = "current_thread", worker_threads = 4)]
async fn workers_of_one_thread() {}

#[shinkan::main(start_paused = true)]
async fn paused_with_many() {}

#[shinkan::main(flavor = "local", flavor = "local")]
async fn twice() {}

#[shinkan::main(current_thread)]
async fn without_a_name() {}

#[shinkan::test]
#[test]
async fn two_tests() {}

fn main() {}
