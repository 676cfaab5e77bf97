//! A private PostgreSQL for tests in other languages: prints the URL of an empty
//! database, and stops when its standard input is closed.
#![forbid(unsafe_code)]

use telecast_postgres::testing;
use tokio::io::AsyncReadExt;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let database = testing::database("empty", async |_url| {}).await;
    println!("{}", database.url());
    tokio::io::stdin().read_to_end(&mut Vec::new()).await?;
    Ok(())
}
