//! The blocks of a mail: fields, order, adding and taking away.

use leptos::prelude::*;
use mailroom_shared::campaign::content::Block;

use crate::model::campaign::Numbered;
use crate::model::campaign::add;
use crate::model::campaign::shift;
use crate::t;
use crate::ui::button::Button;
use crate::ui::button::Kind;
use crate::ui::field::Input;
use crate::ui::field::TextField;
use crate::ui::icon::Glyph;

/// All blocks. Their numbers make the keys, so that a field keeps its focus while blocks move.
#[component]
pub(super) fn Blocks(blocks: RwSignal<Vec<Numbered>>) -> AnyView {
    let numbers = Memo::new(move |_| blocks.with(|all| all.iter().map(|(n, _)| *n).collect::<Vec<_>>()));
    let choices = Block::KINDS
        .into_iter()
        .map(|kind| {
            view! {
                <Button small=true icon=Glyph::Plus text=t!(&format!("campaign.block.{kind}"))
                    on_press=move |()| blocks.update(|all| add(all, kind))/>
            }
        })
        .collect_view();
    view! {
        <div class="stack gap-3">
            <For each=move || numbers.get() key=|it| *it let:number>
                <OneBlock number blocks/>
            </For>
            <div class="row row--wrap" role="group" aria-label=t!("campaign.block.add")>{choices}</div>
        </div>
    }
    .into_any()
}

/// The texts of a block, in the order of its fields.
fn texts(block: &Block) -> [String; 3] {
    let none = String::new;
    match block {
        Block::Heading { text } | Block::Text { text } | Block::Footer { text } => [text.clone(), none(), none()],
        Block::Image { url, alt, link } => [url.clone(), alt.clone(), link.clone()],
        Block::Button { text, url } => [text.clone(), url.clone(), none()],
        Block::Divider => [none(), none(), none()],
    }
}

fn with_texts(kind: &str, [a, b, c]: [String; 3]) -> Option<Block> {
    Some(match kind {
        "heading" => Block::Heading { text: a },
        "text" => Block::Text { text: a },
        "footer" => Block::Footer { text: a },
        "image" => Block::Image { url: a, alt: b, link: c },
        "button" => Block::Button { text: a, url: b },
        _ => return None,
    })
}

#[component]
fn OneBlock(number: u32, blocks: RwSignal<Vec<Numbered>>) -> AnyView {
    let found = blocks.with_untracked(|all| all.iter().find(|(n, _)| *n == number).map(|(_, it)| it.clone()));
    let Some(block) = found else { return ().into_any() };
    let kind = block.kind();
    let fields = texts(&block).map(RwSignal::new);
    let [a, b, c] = fields;
    // What is typed goes into the list; the list never writes into a field that somebody types in.
    Effect::new(move |before: Option<[String; 3]>| {
        let now = fields.map(|it| it.get());
        if before.is_some_and(|it| it != now)
            && let Some(block) = with_texts(kind, now.clone())
        {
            blocks.update(|all| {
                if let Some(it) = all.iter_mut().find(|(n, _)| *n == number) {
                    it.1 = block;
                }
            });
        }
        now
    });
    let label = |name: &str| t!(&format!("campaign.block.{kind}.{name}"));
    let inside = match kind {
        "heading" => view! { <TextField label=label("text") value=a name="heading"/> }.into_any(),
        "text" => view! {
            <TextField label=label("text") value=a kind=Input::Lines name="text" hint=t!("campaign.block.text.hint")/>
        }
        .into_any(),
        "footer" => view! {
            <TextField label=label("text") value=a kind=Input::Lines name="footer" hint=t!("campaign.block.footer.hint")/>
        }
        .into_any(),
        "image" => view! {
            <TextField label=label("url") value=a name="image-url"/>
            <TextField label=label("alt") value=b name="image-alt" hint=t!("campaign.block.image.hint")/>
            <TextField label=label("link") value=c name="image-link"/>
        }
        .into_any(),
        "button" => view! {
            <div class="form-two">
                <TextField label=label("text") value=a name="button-text"/>
                <TextField label=label("url") value=b name="button-url"/>
            </div>
        }
        .into_any(),
        _ => ().into_any(),
    };
    let name = t!(&format!("campaign.block.{kind}"));
    view! {
        <section class="card" data-block=kind>
            <header class="card-head">
                <h3>{name.clone()}</h3>
                <span class="acts row push">
                    <Button kind=Kind::Ghost small=true icon=Glyph::Up label=t!("campaign.block.up", name = name)
                        on_press=move |()| blocks.update(|all| shift(all, number, false))/>
                    <Button kind=Kind::Ghost small=true icon=Glyph::Down label=t!("campaign.block.down", name = name)
                        on_press=move |()| blocks.update(|all| shift(all, number, true))/>
                    <Button kind=Kind::Ghost small=true icon=Glyph::Trash label=t!("campaign.block.remove", name = name)
                        on_press=move |()| blocks.update(|all| all.retain(|(n, _)| *n != number))/>
                </span>
            </header>
            {(kind != "divider").then(|| view! { <div class="card-body stack gap-3">{inside}</div> })}
        </section>
    }
    .into_any()
}
