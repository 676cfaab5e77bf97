//! Russian.

use telecast_core::{
    campaigns::{Action, PauseReason, Status},
    message_jobs::State,
};

use super::Texts;

pub(super) static RUSSIAN: Texts = Texts {
    language: "ru",
    other_language: "en",
    other_language_name: "English",
    skip: "К содержанию",
    menu: "Меню",
    overview: "Обзор",
    campaigns: "Кампании",
    channels: "Каналы",
    batches: "Подборки",
    templates: "Шаблоны",
    bots: "Боты",
    queues: "Очереди",
    audit: "Журнал",
    users: "Пользователи",
    sign_in: "Войти",
    sign_out: "Выйти",
    sign_in_hint: "Пароль пользователя admin был показан при первом запуске Telecast.",
    username: "Имя пользователя",
    password: "Пароль",
    error_title: "Не получилось",
    go_back: "Назад",
    begin: "С чего начать",
    begin_channels: "Загрузите каналы",
    begin_batch: "Соберите из них подборку",
    begin_template: "Напишите шаблон",
    begin_campaign: "Создайте и запустите кампанию",
    nothing_runs: "Сейчас ничего не отправляется",
    nothing_runs_hint: "Здесь видны идущие кампании: их темп и когда они закончатся. Запустите одну в разделе «Кампании».",
    progress: "Ход",
    done: "Готово",
    rate_now: "Темп сейчас",
    rate: "Сообщений в минуту",
    per_minute: "в минуту",
    per_second: "В секунду",
    eta: "Закончится через",
    ends_at: "Конец",
    paused_because: "Пауза",
    resumes_in: "продолжится через",
    oldest_due: "Старейшая задача ждёт",
    queue: "Очередь",
    ready: "К отправке",
    deferred: "Позже",
    active: "В работе",
    failed: "Ошибки",
    sent: "Отправлено",
    uncertain: "Неясно",
    skipped: "Пропущено",
    cancelled: "Отменено",
    total: "Всего",
    state: "Состояние",
    all: "Все",
    filter: "Показать",
    search: "Поиск",
    name: "Название",
    created: "Создана",
    next_page: "Дальше",
    change: "Изменить",
    save: "Сохранить",
    delete: "Удалить",
    details: "Подробности",
    no_campaigns: "Кампаний нет",
    no_campaigns_hint: "Создайте первую: нужны подборка каналов и шаблон.",
    new_campaign: "Новая кампания",
    recipients: "Получатели",
    channel: "Канал",
    slot: "По плану",
    error: "Ошибка",
    no_recipients: "Получателей нет",
    no_recipients_hint: "Они появятся после запуска. Если включён фильтр, ослабьте его.",
    chart: "Сообщения по минутам и предел",
    no_chart: "Первое сообщение нарисует первый столбик.",
    errors: "Ошибки по видам",
    no_errors: "Нет.",
    events: "События",
    campaign_needs: "Кампании нужны подборка, шаблон и бот. Сначала добавьте недостающее:",
    batch: "Подборка",
    template: "Шаблон",
    bot: "Бот",
    mode: "Режим",
    more: "Ещё настройки",
    test_chat: "Номер вашего чата",
    scheduled_at: "Начать (UTC)",
    not_after: "Не позже (UTC)",
    retry_limit: "Повторы",
    on_uncertain: "Если неизвестно, дошло ли сообщение",
    uncertain_skip: "Оставить, ни разу дважды",
    uncertain_resend: "Отправить ещё раз, возможно дважды",
    params: "Параметры, имя = значение в строке",
    show_plan: "Показать расписание",
    plan: "Расписание",
    plan_hint: "Заполните форму и запросите расписание. При этом ничего не сохраняется.",
    messages: "Сообщений",
    message: "Сообщение",
    takes: "Займёт",
    at: "Время",
    save_and_start: "Сохранить и запустить",
    save_draft: "Сохранить черновик",
    warning_nobody: "Ни одному каналу подборки нельзя писать: запуск будет отклонён.",
    warning_inactive: "Неактивные и отказавшиеся каналы, будут пропущены:",
    warning_bot_rate: "Темп выше, чем у бота; сообщений в минуту будет не больше",
    warning_bot_stopped: "Telegram отверг токен этого бота: сначала сохраните другой.",
    warning_missed: "Она началась бы позже крайнего срока и была бы пропущена.",
    warning_quiet: "Она началась бы в тихие часы и ждала бы их конца.",
    quiet_from: "Тихо с",
    quiet_to: "Тихо до",
    timezone: "Часовой пояс",
    cron: "Повторять (cron)",
    import: "Загрузить",
    import_file: "Файл каналов",
    import_hint: "CSV с заголовком (username, title, category, …) или JSON lines. Перетащите сюда. Хорошие строки загрузятся, плохие будут названы.",
    import_report: "Отчёт о загрузке",
    rows: "Строк",
    inserted: "Новых",
    updated: "Обновлено",
    unchanged: "Без изменений",
    duplicates: "Повторов",
    duplicate_lines: "Строки повторов",
    rejected: "Отклонено",
    line: "Строка",
    field: "Поле",
    category: "Категория",
    active_channel: "Активен",
    inactive_channel: "Неактивен",
    opted_out: "Отказался",
    opt_out: "Отказ",
    opt_in: "Согласие",
    activate: "Включить",
    deactivate: "Выключить",
    no_channels: "Каналов пока нет",
    no_channels_hint: "Перетащите файл наверх, чтобы начать.",
    nothing_found: "Ничего не найдено",
    nothing_found_hint: "Ослабьте условия: уберите фильтр.",
    new_batch: "Создать подборку",
    no_batches: "Подборок пока нет",
    no_batches_hint: "Назовите её выше; без категории и поиска в неё войдут все каналы.",
    sendable: "Можно писать",
    add_channels: "Добавить каналы",
    clone: "Копия",
    new_template: "Новый шаблон",
    no_templates: "Шаблонов пока нет",
    no_templates_hint: "Напишите первый; рядом виден предпросмотр.",
    version: "Версия",
    versions: "Версии",
    text: "Текст",
    placeholders: "Подстановки:",
    code_points: "знаков",
    parse_mode: "Формат",
    plain: "Простой текст",
    media: "Фото, видео или файл",
    media_kind: "Вид",
    media_source: "URL или file id",
    preview: "Предпросмотр",
    test_send: "Отправить пробу",
    test_sent: "Проба отправлена.",
    no_bots: "Ботов пока нет",
    no_bots_hint: "Добавьте токен от BotFather или задайте TELEGRAM_BOT_TOKEN.",
    bot_works: "Работает",
    bot_held: "Ждёт",
    today: "Сегодня",
    bot_stopped: "Остановлен",
    add_bot: "Добавить бота",
    token: "Токен",
    new_token: "Новый токен",
    role: "Роль",
    enabled: "Включён",
    disabled: "Отключён",
    enable: "Включить",
    disable: "Отключить",
    new_password: "Новый пароль",
    add_user: "Добавить пользователя",
    who: "Кто",
    deed: "Действие",
    subject: "Предмет",
    policy: "Политика",
    queues_hint: "Числа — на момент последнего обхода. Здесь ничего нельзя изменить.",
    job: "Задача",
    start_after: "Не раньше",
    attempts: "Попытки",
    no_jobs: "Задач нет",
    no_jobs_hint: "Задачи появляются при запуске кампании; выберите другое состояние.",
    words: super::Words {
        status,
        pause_reason,
        job_state,
        action,
        action_means,
        mode,
        next_step,
    },
};

fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "Черновик",
        Status::Queued => "В очереди",
        Status::Running => "Идёт",
        Status::Paused => "Пауза",
        Status::Completed => "Завершена",
        Status::Cancelled => "Отменена",
        Status::Failed => "Ошибка",
        Status::Missed => "Пропущена",
    }
}

fn pause_reason(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Operator => "Поставил на паузу оператор: нажмите «Продолжить».",
        PauseReason::FloodWait => "Telegram попросил бота подождать.",
        PauseReason::TooManyFloods => {
            "Telegram слишком часто просил подождать: снизьте темп и продолжите."
        }
        PauseReason::MessageRejected => {
            "Telegram отвергает сообщение: исправьте шаблон в новой кампании."
        }
        PauseReason::BotRejected => {
            "Telegram отвергает бота: сохраните новый токен в разделе «Боты» и продолжите."
        }
    }
}

fn job_state(state: State) -> &'static str {
    match state {
        State::Pending => "Ждёт",
        State::Sending => "Отправляется",
        State::Sent => "Отправлено",
        State::Failed => "Ошибка",
        State::Skipped => "Пропущено",
        State::Uncertain => "Неясно",
        State::Cancelled => "Отменено",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "Запустить",
        Action::Pause => "Пауза",
        Action::Resume => "Продолжить",
        Action::Cancel => "Отменить",
        Action::RetryFailed => "Повторить ошибки",
        Action::ResendUncertain => "Отправить неясные",
    }
}

fn action_means(action: Action) -> &'static str {
    match action {
        Action::Start => "Сообщения планируются и отправляются сразу или с назначенного времени.",
        Action::Pause => "До продолжения ничего не отправляется. Что уже в пути, дойдёт.",
        Action::Resume => "Она продолжится в своём темпе, без рывка.",
        Action::Cancel => "Она остановится навсегда; неотправленное не уйдёт.",
        Action::RetryFailed => "Неудачные сообщения уйдут ещё раз тем, кому можно писать.",
        Action::ResendUncertain => "То, что могло дойти, уйдёт ещё раз: кто-то получит дважды.",
    }
}

fn mode(mode: &str) -> &'static str {
    match mode {
        "TEST" => "Проба: всё в ваш чат",
        "DRY_RUN" => "Вхолостую: ничего не отправляется",
        _ => "Вживую: каналам подборки",
    }
}

/// By the code of the API's error.
fn next_step(code: &str) -> &'static str {
    match code {
        "INVALID" => "Вернитесь, исправьте поле и отправьте форму снова.",
        "FORBIDDEN" => "Попросите администратора дать нужную роль.",
        "NOT_FOUND" => "Возможно, удалено; вернитесь к списку.",
        "UNAVAILABLE" | "TIMEOUT" | "TELEGRAM_UNREACHABLE" => "Попробуйте ещё раз через минуту.",
        "BAD_CREDENTIALS" => "Проверьте имя и пароль; после нескольких попыток придётся подождать.",
        "TOO_MANY_LOGINS" => "Подождите и попробуйте снова.",
        "TELEGRAM_REFUSED" => "Проверьте номер чата и напишите боту первым.",
        _ => {
            "Вернитесь и попробуйте снова; если не помогло, обратитесь к администратору: подробности в журнале службы."
        }
    }
}
