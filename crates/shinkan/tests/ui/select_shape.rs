async fn shapes() {
    shinkan::select! {}

    shinkan::select! {
        std::future::ready(1) => println!("no pattern"),
    }

    shinkan::select! {
        n = std::future::ready(1) => println!("no comma")
        n = std::future::ready(2) => println!("{n}"),
    }

    shinkan::select! {
        else => {}
        _ = std::future::ready(1) => {}
    }
}

fn main() {}
