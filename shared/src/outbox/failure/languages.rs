//! What mail systems say in other languages than English, as data: a table per language, a row per reason, patterns as in
//! [`super::rules`]. They are looked at after the English words: most systems quote the other server in English below their
//! own sentence. Sources are the localised reports of Exchange and Outlook.com, of Gmail and of the providers of each country.

use super::Reason::{
    Expired, Filtered, HostUnknown, MailboxFull, MesgTooBig, Rejected, SpamDetected, Suspend, UserUnknown,
};
use super::rules::Row;

/// Every table with the name of its language.
#[rustfmt::skip]
pub(super) static TABLES: &[(&str, &[Row])] = &[
    ("German", GERMAN), ("French", FRENCH), ("Spanish", SPANISH), ("Italian", ITALIAN), ("Portuguese", PORTUGUESE),
    ("Dutch", DUTCH), ("Swedish, Danish, Norwegian", NORDIC), ("Finnish, Hungarian, Turkish", SUFFIXES),
    ("Polish, Czech, Slovak, Croatian, Romanian", CENTRAL), ("Russian, Ukrainian, Bulgarian, Greek", CYRILLIC),
    ("Chinese", CHINESE), ("Japanese", JAPANESE), ("Korean", KOREAN), ("Vietnamese, Indonesian, Thai", SOUTH),
];

#[rustfmt::skip]
static GERMAN: &[Row] = &[
    (MailboxFull, "postfach * voll|speicherplatz * überschritten|speicherkontingent|quota überschritten|mailbox ist voll"),
    (Suspend, "postfach * deaktiviert|postfach * gesperrt|konto * deaktiviert|konto * gesperrt"),
    (HostUnknown, "domain * nicht gefunden|domäne * nicht gefunden|domain * existiert nicht|domäne * existiert nicht"),
    (MesgTooBig, "nachricht ist zu gro|zu große nachricht|maximale nachrichtengröße|maximale größe"),
    (Rejected, "nicht berechtigt|keine berechtigung"),
    (UserUnknown,
        "adresse * nicht gefunden|empfänger * nicht gefunden|e-mail-adresse * gefunden werden|empfänger unbekannt|\
         benutzer unbekannt|unbekannter empfänger|unbekannter benutzer|existiert nicht|gibt es nicht"),
    (Expired, "abgelaufen|zeitüberschreitung"),
];

#[rustfmt::skip]
static FRENCH: &[Row] = &[
    (MailboxFull, "boîte * pleine|boite * pleine|messagerie * saturée|quota * dépassé|quota * atteint|espace * insuffisant"),
    (Suspend, "compte * désactivé|boîte * désactivée|compte * suspendu|compte * bloqué|boîte * inactive"),
    (HostUnknown, "domaine * n'existe pas|domaine * introuvable|domaine inconnu|trouver le domaine"),
    (MesgTooBig, "trop volumineux|taille maximale|taille * dépasse"),
    (Rejected, "n'êtes pas autorisé|n'avez pas l'autorisation|pas l'autorisation"),
    (UserUnknown,
        "adresse * introuvable|destinataire * n'existe pas|destinataire inconnu|utilisateur inconnu|adresse inconnue|\
         adresse * n'a pas été trouvée|impossible de trouver l'adresse|n'existe pas|adresse invalide"),
    (Expired, "a expiré|délai * dépassé"),
];

#[rustfmt::skip]
static SPANISH: &[Row] = &[
    (MailboxFull, "buzón * lleno|buzon * lleno|casilla * llena|cuota * excedida|cuota * superada|sin espacio|bandeja de entrada * llena"),
    (Suspend, "cuenta * desactivada|cuenta * deshabilitada|cuenta * suspendida|buzón * deshabilitado|cuenta * inactiva"),
    (HostUnknown, "dominio * no existe|dominio * no se encuentra|dominio desconocido|encontrar el dominio|no se encontró el dominio"),
    (MesgTooBig, "demasiado grande|tamaño máximo|supera el tamaño|excede el tamaño"),
    (Rejected, "no tiene permiso|no está autorizado"),
    (UserUnknown,
        "no se encontró la dirección|no se ha encontrado la dirección|dirección * no existe|no existe|usuario desconocido|\
         usuario inexistente|destinatario desconocido|no se pudo encontrar la dirección|dirección no encontrada|\
         no se encontró el destinatario|dirección inválida"),
    (Expired, "ha caducado|ha expirado|tiempo de espera"),
];

#[rustfmt::skip]
static ITALIAN: &[Row] = &[
    (MailboxFull, "casella * piena|cassetta postale * piena|quota * superata|spazio * esaurito"),
    (Suspend, "casella * disabilitata|account * disattivato|account * disabilitato|casella * sospesa|casella * inattiva"),
    (HostUnknown, "dominio * non esiste|dominio * non trovato|dominio inesistente|trovare il dominio"),
    (MesgTooBig, "troppo grande|dimensione massima|supera la dimensione"),
    (Rejected, "non si dispone dell'autorizzazione|non autorizzato|non è autorizzato"),
    (UserUnknown,
        "indirizzo * non * trovat|trovare l'indirizzo|destinatario sconosciuto|utente sconosciuto|indirizzo inesistente|\
         utente inesistente|casella inesistente|non esiste|indirizzo non valido"),
    (Expired, "scadut|timeout"),
];

#[rustfmt::skip]
static PORTUGUESE: &[Row] = &[
    (MailboxFull, "caixa * cheia|cota * excedida|quota * excedida|espaço * esgotado|sem espaço"),
    (Suspend, "conta * desativada|conta * suspensa|conta * bloqueada|caixa postal * desativada|conta * inativa"),
    (HostUnknown, "domínio * não existe|domínio * não encontrado|domínio inexistente|encontrar o domínio|domínio * não foi encontrado"),
    (MesgTooBig, "muito grande|tamanho máximo|excede o tamanho"),
    (Rejected, "não tem permissão|não está autorizado"),
    (UserUnknown,
        "endereço * não foi encontrado|endereço não encontrado|endereço * não encontrado|encontrar o endereço|\
         destinatário desconhecido|usuário desconhecido|utilizador desconhecido|usuário inexistente|destinatário inexistente|\
         não existe|endereço inválido"),
    (Expired, "expirou|tempo limite"),
];

#[rustfmt::skip]
static DUTCH: &[Row] = &[
    (MailboxFull, "postvak * is vol|mailbox * is vol|mailbox * vol|quotum overschreden|postvak * vol"),
    (Suspend, "account * uitgeschakeld|postvak * uitgeschakeld|account * geblokkeerd"),
    (HostUnknown, "domein * niet gevonden|domein * bestaat niet|onbekend domein"),
    (MesgTooBig, "te groot|maximale grootte"),
    (Rejected, "geen toestemming|niet gemachtigd"),
    (UserUnknown,
        "e-mailadres * niet * gevonden|adres * bestaat niet|onbekende gebruiker|gebruiker bestaat niet|onbekende ontvanger|\
         geadresseerde * niet gevonden|adres niet gevonden|bestaat niet"),
    (Expired, "verlopen"),
];

#[rustfmt::skip]
static NORDIC: &[Row] = &[
    (MailboxFull,
        "postlåda * full|inkorg * full|brevlåda * full|postkasse * fuld|indbakke * fuld|postboks * full|innboks * full|\
         postkasse * full|kvot * överskriden"),
    (Suspend, "konto * inaktiverat|konto * deaktiveret|konto * deaktivert|konto * spärrat|konto * spærret"),
    (HostUnknown, "domän * hittades inte|domæne * ikke fundet|domene * ikke funnet|domän * finns inte|domænet findes ikke|domenet finnes ikke"),
    (MesgTooBig, "för stort|for stor|maxstorlek"),
    (Rejected, "har inte behörighet|har ikke tilladelse|har ikke tillatelse"),
    (UserUnknown,
        "att hitta e-postadressen|hittades inte|finns inte|okänd mottagare|okänd användare|blev ikke fundet|ble ikke funnet|\
         findes ikke|finnes ikke|kunne ikke finde|kunne ikke finne|finner ikke|finder ikke|ukendt modtager|ukjent mottaker|\
         ukendt bruger|ukjent bruker"),
];

#[rustfmt::skip]
static SUFFIXES: &[Row] = &[
    (MailboxFull,
        "postilaatikko * täynnä|postilaatikko on täysi|kiintiö * ylit|postafiók * megtelt|postaláda * megtelt|postaláda betelt|\
         posta kutusu * dolu|posta kutusu doldu|kota aşıldı|kotası * dol"),
    (Suspend, "tili * poistettu käytöstä|fiók * letiltva|letiltott|hesap * devre dışı|askıya alın"),
    (HostUnknown, "toimialuetta ei|verkkotunnusta ei|tartomány * nem található|etki alanı * bulunamadı|alan adı * bulunamadı"),
    (MesgTooBig, "liian suuri|túl nagy|çok büyük"),
    (UserUnknown,
        "ei löydy|ei löytynyt|ei ole olemassa|tuntematon vastaanottaja|nem található|nem létezik|ismeretlen címzett|\
         ismeretlen felhasználó|bulunamadı|mevcut değil|geçersiz alıcı|bilinmeyen kullanıcı"),
];

#[rustfmt::skip]
static CENTRAL: &[Row] = &[
    (MailboxFull,
        "skrzynka * pełna|skrzynka * przepełniona|skrzynki * przekroczony|schránka * plná|schránky * překroč|\
         schránka * preplnená|sandučić * pun|kutija * puna|căsuța poștală * plină|cutia poștală * plină"),
    (Suspend, "konto * zablokowane|konto * wyłączone|účet * zablokován|účet * deaktivován|cont * dezactivat|cont * suspendat"),
    (HostUnknown, "domena * nie istnieje|domeny * nie znaleziono|doména * neexistuje|domena * ne postoji|domeniul * nu"),
    (MesgTooBig, "zbyt duż|za duży|příliš velk|príliš veľk|prevelik|prea mare"),
    (UserUnknown,
        "nie można odnaleźć|nie znaleziono|nieznany użytkownik|nieznany adresat|nie istnieje|nie został znaleziony|\
         nebyla nalezena|nebyl nalezen|neexistuje|neznámý uživatel|neznámý příjemce|nebola nájdená|nebol nájdený|\
         ne postoji|nije pronađen|ni mogoče najti|nu a fost găsit|nu există|destinatar necunoscut"),
];

#[rustfmt::skip]
static CYRILLIC: &[Row] = &[
    (MailboxFull,
        "ящик * переполнен|ящик * заполнен|ящик полон|переполнен ящик|превышена квота|превышен размер ящика|квота * превышена|\
         скринька * переповнена|скриньку переповнено|кутия * пълна|γραμματοκιβώτιο * πλήρες|γραμματοκιβώτιο * γεμάτο"),
    (Suspend, "ящик * заблокирован|ящик * отключен|аккаунт * заблокирован|учетная запись * отключена|скриньку заблоковано"),
    (SpamDetected, "спам|нежелательн"),
    (HostUnknown, "домен * не найден|домен * не существует|домена * не существует|найти домен|домен * не знайдено"),
    (MesgTooBig, "слишком большо|превышает * размер|превышен максимальный размер|завелик"),
    (Rejected, "нет разрешения|нет прав"),
    (UserUnknown,
        "адрес * не найден|не удалось найти * адрес|найти указанный адрес|пользователь * не найден|не существует|\
         нет такого пользователя|получатель * не найден|неизвестный получатель|неизвестный пользователь|адрес недействителен|\
         не знайдено|не існує|невідомий одержувач|не е намерен|не съществува|δεν βρέθηκε|δεν υπάρχει"),
    (Expired, "истек|истекло время"),
];

#[rustfmt::skip]
static CHINESE: &[Row] = &[
    (MailboxFull, "邮箱已满|邮箱空间|邮箱容量|邮箱超限|空间不足|空间已满|信箱已滿|信箱容量|信箱空間|配額已滿|超出配额|邮箱已超"),
    (Suspend, "已被禁用|已停用|已冻结|被冻结|已凍結|帐号被锁定|账号被锁定|帳號已停用"),
    (HostUnknown, "域名不存在|域名错误|域名无法解析|找不到域|網域不存在|無法解析"),
    (SpamDetected, "垃圾邮件|垃圾郵件|广告邮件"),
    (MesgTooBig, "邮件太大|邮件过大|超过大小|超出大小|郵件太大|邮件大小超"),
    (Filtered, "被收件人拒收|黑名单|黑名單"),
    (Rejected, "没有权限|沒有權限|无权"),
    (UserUnknown,
        "找不到你输入|找不到您|找不到收件人|找不到您輸入|地址不存在|不存在|查无此人|查無此人|无此用户|用户未找到|收件人地址错误|\
         收件人无效|找不到電子郵件|無此使用者|找不到該"),
    (Expired, "超时|逾時|已过期"),
];

#[rustfmt::skip]
static JAPANESE: &[Row] = &[
    (MailboxFull, "メールボックスがいっぱい|メールボックスの容量|受信箱がいっぱい|容量を超|容量がいっぱい|容量オーバー|空き容量"),
    (Suspend, "アカウントは無効|アカウントが無効|利用停止|停止されて"),
    (HostUnknown, "ドメインが見つかり|ドメインが存在|ドメイン名が見つかり|ドメインは存在"),
    (SpamDetected, "迷惑メール|スパム"),
    (MesgTooBig, "サイズが大きすぎ|サイズ超過|サイズ制限|サイズの上限"),
    (Rejected, "権限がありません|許可されていません"),
    (Filtered, "受信拒否|受信を拒否"),
    (UserUnknown, "見つかりませんでした|見つかりません|存在しません|ユーザーが不明|ユーザ不明|宛先不明|宛先が不明|不明なユーザ"),
    (Expired, "タイムアウト|期限切れ"),
];

#[rustfmt::skip]
static KOREAN: &[Row] = &[
    (MailboxFull, "메일함 용량|사서함이 꽉|사서함이 가득|편지함 용량|용량이 초과|용량 초과|편지함이 가득"),
    (Suspend, "휴면|정지된 계정|사용이 중지|비활성"),
    (HostUnknown, "도메인을 찾을|도메인이 존재하지|없는 도메인"),
    (SpamDetected, "스팸"),
    (MesgTooBig, "너무 큽니다|크기가 초과|크기를 초과|용량 제한"),
    (Rejected, "권한이 없습니다"),
    (Filtered, "수신 거부|수신거부"),
    (UserUnknown, "찾을 수 없|존재하지 않|없는 사용자|없는 계정|없는 메일|알 수 없는 사용자|잘못된 주소"),
    (Expired, "시간이 초과|시간 초과"),
];

#[rustfmt::skip]
static SOUTH: &[Row] = &[
    (MailboxFull, "hộp thư * đầy|hết dung lượng|vượt quá dung lượng|kotak surat * penuh|kotak masuk * penuh|กล่องจดหมาย * เต็ม|กล่องขาเข้า * เต็ม"),
    (Suspend, "tài khoản * khóa|bị vô hiệu|akun * dinonaktifkan|ถูกระงับ"),
    (HostUnknown, "tên miền * không tồn tại|tìm thấy tên miền|domain * tidak ditemukan|ไม่พบโดเมน"),
    (SpamDetected, "thư rác"),
    (MesgTooBig, "quá lớn|terlalu besar|ใหญ่เกินไป"),
    (UserUnknown,
        "không tìm thấy|không tồn tại|địa chỉ không đúng|địa chỉ không hợp lệ|tidak ditemukan|tidak ada|tidak dikenal|ไม่พบ|ไม่มีอยู่"),
    (Expired, "hết hạn|hết thời gian"),
];
