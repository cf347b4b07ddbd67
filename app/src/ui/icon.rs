//! Icons. General ones are Lucide's; the envelope family is our own drawing, Mailroom's signature.

use leptos::prelude::*;

use crate::model::envelope::EnvelopeGlyph;

/// Every icon of the page; a glyph that is not named here is not shipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyph {
    Alert,
    At,
    Arrow,
    Ban,
    Bell,
    Bolt,
    Bot,
    Chart,
    Check,
    Clip,
    Close,
    Clock,
    Copy,
    Down,
    Download,
    Edit,
    Eye,
    File,
    Filter,
    Globe,
    Help,
    Image,
    Inbox,
    Info,
    Lead,
    Lock,
    LogOut,
    Megaphone,
    Menu,
    Moon,
    More,
    Offline,
    Order,
    People,
    Plus,
    Record,
    Reply,
    Retry,
    Right,
    Search,
    Send,
    Settings,
    Shield,
    ShieldAlert,
    Source,
    Sun,
    Technical,
    Ticket,
    Star,
    Trash,
    Undo,
    Up,
    Envelope(EnvelopeGlyph),
}

impl Glyph {
    /// The icon of a record type by the name the Worker gives.
    pub fn of_type(name: &str) -> Self {
        match name {
            "ticket" => Self::Ticket,
            "lead" => Self::Lead,
            "order" => Self::Order,
            _ => Self::Record,
        }
    }

    fn data(self) -> Option<icondata_core::Icon> {
        Some(match self {
            Self::Alert => icondata_lu::LuTriangleAlert,
            Self::At => icondata_lu::LuAtSign,
            Self::Arrow => icondata_lu::LuArrowRight,
            Self::Ban => icondata_lu::LuBan,
            Self::Bell => icondata_lu::LuBell,
            Self::Bolt => icondata_lu::LuZap,
            Self::Bot => icondata_lu::LuBot,
            Self::Chart => icondata_lu::LuChartColumn,
            Self::Check => icondata_lu::LuCheck,
            Self::Clip => icondata_lu::LuPaperclip,
            Self::Close => icondata_lu::LuX,
            Self::Clock => icondata_lu::LuClock,
            Self::Copy => icondata_lu::LuCopy,
            Self::Down => icondata_lu::LuChevronDown,
            Self::Download => icondata_lu::LuDownload,
            Self::Edit => icondata_lu::LuPencil,
            Self::Eye => icondata_lu::LuEye,
            Self::File => icondata_lu::LuFile,
            Self::Filter => icondata_lu::LuSlidersHorizontal,
            Self::Globe => icondata_lu::LuLanguages,
            Self::Help => icondata_lu::LuCircleHelp,
            Self::Image => icondata_lu::LuImage,
            Self::Inbox => icondata_lu::LuInbox,
            Self::Info => icondata_lu::LuInfo,
            Self::Lead => icondata_lu::LuFunnel,
            Self::Lock => icondata_lu::LuLock,
            Self::LogOut => icondata_lu::LuLogOut,
            Self::Megaphone => icondata_lu::LuMegaphone,
            Self::Menu => icondata_lu::LuMenu,
            Self::Moon => icondata_lu::LuMoon,
            Self::More => icondata_lu::LuEllipsis,
            Self::Offline => icondata_lu::LuWifiOff,
            Self::Order => icondata_lu::LuPackage,
            Self::People => icondata_lu::LuUsers,
            Self::Plus => icondata_lu::LuPlus,
            Self::Record => icondata_lu::LuFileText,
            Self::Reply => icondata_lu::LuReply,
            Self::Retry => icondata_lu::LuRotateCw,
            Self::Right => icondata_lu::LuChevronRight,
            Self::Search => icondata_lu::LuSearch,
            Self::Send => icondata_lu::LuSend,
            Self::Settings => icondata_lu::LuSettings2,
            Self::Shield => icondata_lu::LuShieldCheck,
            Self::ShieldAlert => icondata_lu::LuShieldAlert,
            Self::Source => icondata_lu::LuCode,
            Self::Sun => icondata_lu::LuSun,
            Self::Technical => icondata_lu::LuSquareTerminal,
            Self::Ticket => icondata_lu::LuTicket,
            Self::Star => icondata_lu::LuStar,
            Self::Trash => icondata_lu::LuTrash2,
            Self::Undo => icondata_lu::LuUndo2,
            Self::Up => icondata_lu::LuChevronUp,
            Self::Envelope(_) => return None,
        })
    }
}

/// The open envelope with room for a sign in its corner.
const CUT: &str = r#"<path d="M7.4 12.75H3.5A1.75 1.75 0 0 1 1.75 11V5A1.75 1.75 0 0 1 3.5 3.25h9A1.75 1.75 0 0 1 14.25 5v1.9" style="fill:var(--env-fill,none)"/><path d="M2.3 4.5 8 8.8l5.7-4.3"/>"#;

fn envelope(glyph: EnvelopeGlyph) -> String {
    let sign = match glyph {
        EnvelopeGlyph::Plain => {
            return r#"<rect x="1.75" y="3.25" width="12.5" height="9.5" rx="1.75" style="fill:var(--env-fill,none)"/><path d="M2.3 4.5 8 8.8l5.7-4.3"/>"#.to_owned();
        }
        EnvelopeGlyph::Fail => {
            return r#"<rect x="1.75" y="3.25" width="12.5" height="9.5" rx="1.75" fill="currentColor"/><path style="stroke:var(--env-flap,var(--bg))" d="M2.3 4.5 8 8.8l5.7-4.3"/>"#.to_owned();
        }
        EnvelopeGlyph::Ok => r#"<path d="M9.8 12.1l1.65 1.65 3-3.4"/>"#,
        EnvelopeGlyph::Wait => r#"<circle cx="12" cy="11.9" r="3.1"/><path d="M12 10.5v1.5h1.1"/>"#,
        EnvelopeGlyph::Out => r#"<path d="M9.6 12.1h4.8M12.6 10.2l1.9 1.9-1.9 1.9"/>"#,
        EnvelopeGlyph::X => r#"<path d="M10.5 10.6l3.2 3.2M13.7 10.6l-3.2 3.2"/>"#,
        EnvelopeGlyph::Off => r#"<path d="M10 12.4h4.2"/>"#,
        EnvelopeGlyph::Question => r#"<path d="M10.7 10.6a1.5 1.5 0 1 1 2 1.45c-.4.15-.55.4-.55.75M12.15 14.6v.02"/>"#,
    };
    format!("{CUT}{sign}")
}

/// An icon, hidden from screen readers: the words stand beside it or in the control's label.
#[component]
pub fn Icon(
    glyph: Glyph,
    /// Classes beside `ic`.
    #[prop(optional)]
    class: &'static str,
) -> AnyView {
    match glyph {
        Glyph::Envelope(kind) => view! {
            <svg class=format!("ic {class}") viewBox="0 0 16 16" aria-hidden="true" inner_html=envelope(kind)></svg>
        }
        .into_any(),
        _ => view! {
            <span class=format!("ic {class}") aria-hidden="true">
                {glyph.data().map(|data| view! { <leptos_icons::Icon icon=data width="100%" height="100%"/> })}
            </span>
        }
        .into_any(),
    }
}
