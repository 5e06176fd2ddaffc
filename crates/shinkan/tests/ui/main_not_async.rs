#[shinkan::main]
fn main() {
    println!("hello");
}
