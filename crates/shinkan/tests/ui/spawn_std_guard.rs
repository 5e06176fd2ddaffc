use std::sync::Mutex;

static COUNT: Mutex<u32> = Mutex::new(0);

fn main() {
    shinkan::spawn(async {
        let mut count = COUNT.lock().unwrap();
        shinkan::task::yield_now().await;
        *count += 1;
    });
}
