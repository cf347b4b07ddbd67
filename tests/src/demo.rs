//! A believable company to look at: `cargo xtask dev --demo`.

use anyhow::Result;

use crate::mail::Mail;
use crate::smtp::client;
use crate::stack::Stack;

/// Fills an empty hub: some customers write in through the front door, as they would.
pub fn fill(stack: &Stack, domain: &str) -> Result<()> {
    for mail in letters(domain) {
        let (from, to, raw) = mail?;
        // An address the hub does not know yet is refused; the rest of the company still arrives.
        if let Err(error) = client::send(stack.front_door()?, &from, &[&to], &raw) {
            println!("  demonstration mail from {from} to {to} was refused: {error:#}");
        }
    }
    Ok(())
}

fn letters(domain: &str) -> Vec<Result<(String, String, Vec<u8>)>> {
    let letter = |name: &str, from: &str, local: &str, subject: &str, text: &str| {
        let to = format!("{local}@{domain}");
        Mail::new(&format!("{name} <{from}>"), &to, subject, text).raw().map(|raw| (from.to_owned(), to, raw))
    };
    vec![
        letter(
            "Tomás Echeverría",
            "ok.tomas@sink.test",
            "sales",
            "Forty oak chairs for our reading room",
            "Good morning,\n\nwe are furnishing a reading room and need forty chairs in oiled oak by the end of February.\n\
             Could you send us an offer, delivery to Bilbao included?\n\nKind regards\nTomás Echeverría\n",
        ),
        letter(
            "Nguyễn Thu Hà",
            "ok.ha@sink.test",
            "support",
            "Chân bàn bị lung lay",
            "Xin chào,\n\nChiếc bàn tôi nhận tuần trước bị lung lay một chân. Tôi có thể đổi chân bàn khác không?\n\nCảm ơn,\nThu Hà\n",
        ),
        letter(
            "Priya Raman",
            "hard.priya@sink.test",
            "sales",
            "Re-order of the walnut shelves",
            "Hi,\n\nthe walnut shelves were a hit. We would like twelve more, same size. When could they ship?\n\nPriya\n",
        ),
    ]
}
