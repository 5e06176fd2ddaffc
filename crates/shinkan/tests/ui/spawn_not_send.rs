use std::rc::Rc;

fn main() {
    shinkan::spawn(async {
        let shared = Rc::new(1);
        shinkan::task::yield_now().await;
        println!("{shared}");
    });
}
