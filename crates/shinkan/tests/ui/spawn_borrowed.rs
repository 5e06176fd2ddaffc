#[shinkan::main]
async fn main() {
    let text = String::from("owned by main");
    let length = shinkan::spawn(async { text.len() }).await;
    println!("{length:?} {text}");
}
