//! Parts that know the domain and serve more than one page.

pub mod age;
pub mod attached_mail;
pub mod attachments;
pub mod composer;
pub mod delivery_dialog;
pub mod dkim;
pub mod envelope;
pub mod evidence;
pub mod followers;
pub mod hops;
pub mod html_frame;
pub mod log_lines;
pub mod message_bars;
pub mod message_card;
pub mod new_record;
pub mod notices;
pub mod period;
pub mod problem;
pub mod record_rows;
pub mod route_answer;
pub mod rows;
