//! Processes that compute without end, and end with the one that started them.

use std::io::{self, Read};
use std::process::{Child, Command, Stdio};

pub(crate) struct Burners(Vec<Child>);

impl Burners {
    pub(crate) fn start(count: usize, nice: u8) -> io::Result<Self> {
        let mut burners = Self(Vec::new());
        let program = std::env::current_exe()?;
        for _ in 0..count {
            let mut command = Command::new("nice");
            command.args(["-n", &nice.to_string()]).arg(&program).arg("--burn");
            burners.0.push(command.stdin(Stdio::piped()).spawn()?);
        }
        Ok(burners)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Computes until standard input ends, as it does with whoever holds the pipe's other end.
pub(crate) fn burn() -> ! {
    std::thread::spawn(|| {
        let _ = io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    let mut x = 1_u64;
    loop {
        x = std::hint::black_box(x.wrapping_mul(3));
    }
}
