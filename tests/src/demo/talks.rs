//! What is said at Haldenmoss, a maker of chairs, tables and shelves: data only. All names and texts are made up.

use super::play::Turn::{
    self, Correct, File, Follow, In, Note, NoteBy, Offer, Out, OutTo, Picture, Quoting, Remote, Stage, Whole,
};

/// A conversation of more than two turns, or with something special in it.
pub(super) struct Talk {
    /// Hours before now in which it begins.
    pub(super) ago: u32,
    /// Local part of the alias, or `order`, `lead`, `ticket`: made here, by an agent.
    pub(super) to: &'static str,
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) subject: &'static str,
    /// Index into [`TEAM`] of who answers.
    pub(super) agent: usize,
    pub(super) stage: &'static str,
    pub(super) turns: &'static [Turn],
}

/// Colleagues besides the administrator, who is the first.
pub(super) const TEAM: [(&str, &str, &str); 4] = [
    ("Mai Lindqvist", "admin", "administrator"),
    ("Jonas Weber", "jonas", "agent"),
    ("Phạm Ngọc Lan", "lan", "agent"),
    ("Aurélie Marchand", "aurelie", "agent"),
];

/// Address, type, who may write, listed, what happens to others, owner.
type Alias = (&'static str, &'static str, &'static str, &'static [&'static str], &'static str, usize);

/// Aliases besides those of the first run.
pub(super) const ALIASES: [Alias; 3] = [
    ("warranty", "ticket", "everyone", &[], "refuse", 1),
    ("press", "ticket", "known", &[], "hold", 3),
    ("trade", "lead", "listed", &["@nordlys-hotels.example", "@komorebi.example"], "refuse", 2),
];

pub(super) const TALKS: &[Talk] = &[
    Talk {
        ago: 318,
        to: "sales",
        name: "Tomás Echeverría",
        address: "tomas@arenal-library.example",
        subject: "Forty oak chairs for our reading room",
        agent: 2,
        stage: "Proposition",
        turns: &[
            Picture(
                "<p>Good morning,</p><p>we are furnishing a reading room and need <b>forty chairs in oiled oak</b> by the end of \
                 February. The room is small, so the chairs should slide under tables of 75 cm:</p><p><img src=\"cid:plan\" \
                 width=\"460\" alt=\"Floor plan\"></p><p>Could you send us an offer, delivery to Bilbao included?</p><p>Kind \
                 regards<br>Tomás Echeverría<br><span style=\"color:#6b7280\">Biblioteca del Arenal</span></p>",
                "floor-plan.png",
                "plan",
            ),
            Note(
                "Forty fit into the January batch if the frames are cut by the 12th. @Jonas Weber can you confirm?",
                &[1],
            ),
            NoteBy(1, "Yes, I blocked two days on the router."),
            Stage("Qualified"),
            Offer(
                "Dear Mr Echeverría,\n\nthank you for the plan, it helps a lot. We suggest the Alva without armrests: 74 cm to \
                 the top of the seat back, so it slides under your tables.\n\nForty chairs in oiled oak come to € 9,160, \
                 delivery to Bilbao included. The quotation is attached and holds until the end of the month.\n\nKind \
                 regards\nLan",
                "Quotation L00001.pdf",
            ),
            Stage("Proposition"),
            Quoting(
                "Thank you, Lan. The board meets on Thursday. Would a ramp for the two wheelchair places change the price?",
            ),
            Out("Not at all, we make two tables 5 cm higher instead. I added a sketch to the file.\n\nLan"),
            In("That convinced them. Please send the contract to our administration, Ms Ibarra, in copy."),
            Follow("Nekane Ibarra", "nekane@arenal-library.example"),
        ],
    },
    Talk {
        ago: 96,
        to: "warranty",
        name: "Oliver Brandt",
        address: "oliver.brandt@posteo.example",
        subject: "Chair leg broke after two weeks",
        agent: 1,
        stage: "In progress",
        turns: &[
            Picture(
                "<p>Hello,</p><p>one of the six Alva chairs broke yesterday while my daughter (8) sat on it. Nothing happened, but \
                 see for yourself:</p><p><img src=\"cid:leg\" width=\"420\" alt=\"The broken leg\"></p><p>I would like to know \
                 whether the other five are safe.</p><p>Oliver Brandt</p>",
                "broken-leg.png",
                "leg",
            ),
            Note("That is batch 0426 again, the third one. I stop the line until we know. @Mai Lindqvist", &[0]),
            Out(
                "Dear Mr Brandt,\n\nI am glad nobody was hurt. Please do not use the other five until we have looked at them: a \
                 driver brings six new chairs on Friday and takes the old ones along. You pay nothing.\n\nJonas Weber\nHaldenmoss",
            ),
            Quoting("Friday after 4 pm is fine. Thank you for the quick answer!"),
            NoteBy(0, "Told the board. We recall 0426 on Monday."),
            Out("Friday between 4 and 6 pm it is. You will get a message half an hour before.\n\nJonas"),
            In("They came, all fine. My daughter sits again."),
        ],
    },
    Talk {
        ago: 21,
        to: "order",
        name: "Priya Raman",
        address: "hard.priya@sink.test",
        subject: "Walnut shelves, twelve pieces",
        agent: 0,
        stage: "Quotation sent",
        turns: &[Offer(
            "Hi Priya,\n\ngreat to hear that the walnut shelves were a hit. Twelve more in the same size ship in calendar week 3. \
             The quotation is attached.\n\nMai",
            "Quotation S00004.pdf",
        )],
    },
    Talk {
        ago: 170,
        to: "support",
        name: "Nguyễn Thu Hà",
        address: "thuha@hoaban-cafe.example",
        subject: "Chân bàn bị lung lay",
        agent: 2,
        stage: "Waiting",
        turns: &[
            In(
                "Xin chào,\n\nChiếc bàn tôi nhận tuần trước bị lung lay một chân. Tôi đã siết ốc nhưng không đỡ. Tôi có thể đổi chân \
                bàn khác không?\n\nCảm ơn,\nThu Hà",
            ),
            Out(
                "Chào chị Hà,\n\nRất xin lỗi chị vì sự bất tiện này. Em gửi một chân bàn mới trong hôm nay, chị không phải trả \
                 phí. Chị cho em xin số điện thoại để bên giao hàng liên hệ nhé.\n\nLan",
            ),
            Quoting("Cảm ơn Lan. Số của tôi là 0900 000 042."),
            Stage("Waiting"),
            Out("Em cảm ơn chị, hàng sẽ đến vào thứ Tư.\n\nLan"),
        ],
    },
    Talk {
        ago: 52,
        to: "support",
        name: "Jürgen Großkopf",
        address: "gasthaus@zum-muehlrad.example",
        subject: "Riss in der Tischplatte (Geölte Eiche)",
        agent: 1,
        stage: "In progress",
        turns: &[
            Whole(include_bytes!("../../fixtures/demo/cracked-table.eml")),
            Out(
                "Guten Tag Herr Großkopf,\n\n14 cm lassen sich gut ausbessern: Unser Tischler kommt vorbei, leimt den Riss und ölt \
                 nach. Das gehört zur Garantie. Passt Ihnen Dienstagvormittag, wenn das Gasthaus geschlossen hat?\n\nJonas Weber",
            ),
            In("Dienstag um neun paßt wunderbar. Kaffee steht bereit."),
        ],
    },
    Talk {
        ago: 330,
        to: "sales",
        name: "山田 花子",
        address: "hanako@komorebi.example",
        subject: "読書椅子のお見積り（十二脚）",
        agent: 2,
        stage: "New",
        turns: &[Whole(include_bytes!("../../fixtures/demo/reading-chairs.eml"))],
    },
    Talk {
        ago: 264,
        to: "orders",
        name: "Ingrid Solheim",
        address: "ingrid.solheim@nordlys-hotels.example",
        subject: "Lobby furniture for Tromsø",
        agent: 3,
        stage: "In production",
        turns: &[
            File(
                "Dear Aurélie,\n\nattached is our purchase order 4500-118 for the lobby in Tromsø: 6 sofas, 14 armchairs, 5 low \
                 tables. Please confirm quantities and the delivery week.\n\nBest\nIngrid",
                "PO 4500-118.pdf",
            ),
            OutTo(
                "Dear Ingrid,\n\nconfirmed as ordered, week 51. The armchairs leave a day earlier, since the lift only takes two at \
                 a time. My colleague in the workshop is in copy.\n\nAurélie",
                &["hard.outlook.werkstatt@sink.test"],
            ),
            Stage("Confirmed"),
            In("Perfect. Our site manager Lars takes over from here, please keep him informed."),
            Follow("Lars Moen", "full.lars@sink.test"),
            Stage("In production"),
            Out(
                "Hello Lars,\n\nthe frames are done, upholstery starts on Monday. You find the drawing of the lift in the file.\n\nAurélie",
            ),
        ],
    },
    Talk {
        ago: 30,
        to: "order",
        name: "Marcel Dufour",
        address: "later.marcel@sink.test",
        subject: "Invoice S00003, six stools",
        agent: 3,
        stage: "Delivered",
        turns: &[Offer(
            "Bonjour Monsieur Dufour,\n\nyour six stools have left the workshop. The invoice is attached, payable within 30 \
             days.\n\nAurélie Marchand",
            "Invoice S00003.pdf",
        )],
    },
    Talk {
        ago: 44,
        to: "lead",
        name: "Casa Lume Interiors",
        address: "spam.studio@sink.test",
        subject: "Samples of the new fabric",
        agent: 2,
        stage: "Qualified",
        turns: &[Out(
            "Buongiorno,\n\nthe sample book of the spring fabrics is ready. Shall I send it by post, or do you pass by at the fair?\n\nLan",
        )],
    },
    Talk {
        ago: 5,
        to: "order",
        name: "Studio Kjær",
        address: "drop.kjaer@sink.test",
        subject: "Order confirmation S00009",
        agent: 0,
        stage: "Confirmed",
        turns: &[Out("Dear all,\n\nyour order is confirmed: four benches in ash, 180 cm, week 4.\n\nMai")],
    },
    Talk {
        ago: 76,
        to: "support",
        name: "Beatriz Nunes",
        address: "ooo.beatriz@sink.test",
        subject: "Oil for outdoor benches",
        agent: 1,
        stage: "Waiting",
        turns: &[
            In("Hello, which oil do you recommend for benches that stand outside all year?"),
            Out(
                "Dear Beatriz,\n\na UV oil, twice a year, in spring and before the first frost. I can add two cans to your next \
                 order.\n\nJonas",
            ),
        ],
    },
    Talk {
        ago: 28,
        to: "lead",
        name: "Rolf Amsler",
        address: "complain.rolf@sink.test",
        subject: "Winter offer for returning customers",
        agent: 2,
        stage: "Lost",
        turns: &[Out(
            "Dear Mr Amsler,\n\nuntil the end of the year, matching benches come at 15 % off. Just answer this mail.\n\nLan",
        )],
    },
    Talk {
        ago: 2,
        to: "ticket",
        name: "Hélène Roux",
        address: "full.helene@sink.test",
        subject: "Replacement castors",
        agent: 3,
        stage: "In progress",
        turns: &[Out("Bonjour Hélène,\n\nthe castors are on their way, tracking follows tonight.\n\nAurélie")],
    },
    Talk {
        ago: 140,
        to: "order",
        name: "Kaffeerösterei Blum",
        address: "hard.yahoo.blum@sink.test",
        subject: "Counter stools, eight pieces",
        agent: 1,
        stage: "Confirmed",
        turns: &[
            Out(
                "Guten Tag Frau Blum,\n\ndie acht Thekenhocker sind bestellt, Lieferung in Kalenderwoche 50.\n\nJonas Weber",
            ),
            Correct("theke@blum-kaffee.example"),
            In("Danke, die neue Adresse stimmt. Wir freuen uns!"),
            Out("Wir uns auch.\n\nJonas"),
        ],
    },
    Talk {
        ago: 61,
        to: "press",
        name: "Kit Okafor",
        address: "kit@roomandboard-weekly.example",
        subject: "Interview about repairable furniture",
        agent: 3,
        stage: "New",
        turns: &[In(
            "Hi, I write a piece about furniture that can be repaired. Could I talk to one of your makers for half an hour next week?",
        )],
    },
    Talk {
        ago: 200,
        to: "trade",
        name: "Eirik Nordby",
        address: "eirik.nordby@nordlys-hotels.example",
        subject: "Framework agreement 2027",
        agent: 2,
        stage: "Won",
        turns: &[
            In(
                "Hello Lan,\n\nwe would like to turn the three orders of this year into a framework agreement. Who signs on your side?",
            ),
            Note("Ask @Mai Lindqvist for the discount first.", &[0]),
            NoteBy(0, "12 % from 100 seats on, not more."),
            Out(
                "Dear Eirik,\n\nMai signs. I suggest 12 % from a hundred seats a year, fixed prices for oak and ash, and one visit of \
                 our repair team per house.\n\nLan",
            ),
            Quoting("That is fair. Signed copy attached tomorrow."),
            Stage("Won"),
        ],
    },
    Talk {
        ago: 13,
        to: "support",
        name: "Wren & Daughters Upholstery",
        address: "wren@wrenanddaughters.example",
        subject: "Re: Foam density for the Lido sofa",
        agent: 0,
        stage: "New",
        turns: &[Remote(
            "<table width=\"100%\" bgcolor=\"#f4efe6\" cellpadding=\"16\"><tr><td><font face=\"Georgia\" size=\"4\">Wren &amp; \
                 Daughters</font></td></tr></table><p>Hello again,</p><p>could you tell us the density of the foam in the Lido \
                 seats? We have a client who would like hers firmer.</p><ul><li>two seats, 62 × 58 cm</li><li>one back, 140 × 40 \
                 cm</li></ul><p>Thank you!<br>Wren</p><img src=\"https://pixel.wrenanddaughters.example/o.gif\" width=\"1\" height=\"1\">",
        )],
    },
];

/// A question and mostly an answer.
#[derive(Clone, Copy)]
pub(super) struct Short {
    /// Local part of the alias.
    pub(super) to: &'static str,
    pub(super) ago: u32,
    pub(super) name: &'static str,
    pub(super) address: &'static str,
    pub(super) subject: &'static str,
    pub(super) question: &'static str,
    /// Empty: nobody answered yet.
    pub(super) answer: &'static str,
    pub(super) agent: usize,
    pub(super) stage: &'static str,
}

/// Those of `fixtures/demo/short.tsv`.
pub(super) fn short() -> impl Iterator<Item = Short> {
    let lines = include_str!("../../fixtures/demo/short.tsv").lines().filter(|it| !it.starts_with('#'));
    lines.filter_map(|line| {
        let cells: Vec<&'static str> = line.split('\t').collect();
        let [to, ago, name, address, subject, question, answer, agent, stage] = *cells.as_slice() else { return None };
        let (ago, agent) = (ago.parse().ok()?, agent.parse().ok()?);
        Some(Short { to, ago, name, address, subject, question, answer, agent, stage })
    })
}

/// Mail that is refused at the door: hours ago, from, to, subject.
pub(super) const REFUSED: &[(u32, &str, &str, &str)] = &[
    (288, "order@cheap-veneer.example", "suport", "Veneer stock clearance"),
    (216, "julia.stern@stern-online.example", "sale", "Katalog"),
    (131, "deals@bulk-leads.example", "ceo", "10,000 qualified leads"),
    (88, "thuha@hoaban-cafe.example", "lan.pham", "Hỏi về bàn mới"),
    (55, "buyer@unknown-hotel.example", "trade", "Framework prices"),
    (34, "no-reply@parcel-track.example", "catchall", "Your parcel waits"),
    (6, "martin@posteo.example", "inof", "Opening hours"),
];
