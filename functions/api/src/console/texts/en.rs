//! English. The names of the texts are made here; every other language must have all.

use telecast_core::{
    campaigns::{Action, PauseReason, Status},
    message_jobs::State,
};

macro_rules! texts {
    ($($name:ident: $text:expr,)*) => {
        /// The texts of the console in one language. One that is missing stops the build.
        pub(in crate::console) struct Texts {
            $(pub(in crate::console) $name: &'static str,)*
            pub(super) words: super::Words,
        }

        pub(super) static ENGLISH: Texts = Texts {
            $($name: $text,)*
            words: super::Words { status, pause_reason, job_state, action, action_means, mode, next_step },
        };
    };
}

texts! {
    language: "en",
    other_language: "ru",
    other_language_name: "Русский",
    skip: "Skip to the content",
    menu: "Menu",
    overview: "Overview",
    campaigns: "Campaigns",
    channels: "Channels",
    batches: "Batches",
    templates: "Templates",
    bots: "Bots",
    queues: "Queues",
    audit: "Audit log",
    users: "Users",
    webhooks: "Webhooks",
    sign_in: "Sign in",
    sign_out: "Sign out",
    sign_in_hint: "The first start of Telecast printed the password of the user admin.",
    username: "User name",
    password: "Password",
    error_title: "That did not work",
    go_back: "Go back",
    begin: "How to begin",
    begin_channels: "Import channels",
    begin_batch: "Make a batch of them",
    begin_template: "Write a template",
    begin_campaign: "Create and start a campaign",
    nothing_runs: "Nothing is being sent",
    nothing_runs_hint: "Running campaigns stand here, with their pace and their end. Start one under Campaigns.",
    progress: "Progress",
    done: "Done",
    rate_now: "Rate now",
    rate: "Messages per minute",
    per_minute: "per minute",
    per_second: "Per second",
    eta: "Ends in",
    ends_at: "End",
    paused_because: "Paused",
    resumes_in: "resumes in",
    oldest_due: "Oldest due job waits",
    queue: "Queue",
    ready: "Due",
    deferred: "Later",
    active: "Active",
    failed: "Failed",
    sent: "Sent",
    uncertain: "Uncertain",
    skipped: "Skipped",
    cancelled: "Cancelled",
    total: "Total",
    state: "State",
    all: "All",
    filter: "Filter",
    search: "Search",
    name: "Name",
    created: "Created",
    next_page: "Next page",
    change: "Change",
    save: "Save",
    delete: "Delete",
    details: "Details",
    no_campaigns: "No campaigns here",
    no_campaigns_hint: "Create one: it needs a batch of channels and a template.",
    new_campaign: "New campaign",
    recipients: "Recipients",
    channel: "Channel",
    slot: "Planned",
    error: "Error",
    no_recipients: "No recipients",
    no_recipients_hint: "They are planned when the campaign starts. If you filtered, ask for less.",
    chart: "Messages by minute, and the limit",
    no_chart: "The first message draws the first bar.",
    errors: "Errors by class",
    no_errors: "None.",
    events: "Events",
    campaign_needs: "A campaign needs a batch, a template and a bot. Add what is missing first:",
    batch: "Batch",
    template: "Template",
    bot: "Bot",
    mode: "Mode",
    more: "More settings",
    test_chat: "Your own chat's id",
    scheduled_at: "Begin at (UTC)",
    not_after: "Not later than (UTC)",
    retry_limit: "Retries",
    on_uncertain: "If nobody knows whether a message arrived",
    uncertain_skip: "Leave it, never twice",
    uncertain_resend: "Send again, perhaps twice",
    params: "Parameters, one name = value a line",
    show_plan: "Show the timetable",
    plan: "Timetable",
    plan_hint: "Fill in the form and ask for the timetable. Nothing is saved by it.",
    messages: "Messages",
    message: "Message",
    takes: "Takes",
    at: "Time",
    save_and_start: "Save and start",
    save_draft: "Save the draft",
    warning_nobody: "No channel of this batch can be written to: start will be refused.",
    warning_inactive: "Channels that are inactive or opted out, and will be skipped:",
    warning_bot_rate: "The rate is above the bot's; messages per minute will be at most",
    warning_bot_stopped: "Telegram refused this bot's token: save another one first.",
    warning_missed: "It would begin after its latest time, and be missed.",
    warning_quiet: "It would begin inside its quiet hours, and wait for their end.",
    quiet_from: "Quiet from",
    quiet_to: "Quiet until",
    timezone: "Time zone",
    cron: "Repeat (cron)",
    import: "Import",
    import_file: "File of channels",
    import_hint: "CSV with a header (username, title, category, …) or JSON lines. Drop it here. Good rows land, bad ones are named by line.",
    import_report: "Import report",
    rows: "Rows",
    inserted: "New",
    updated: "Updated",
    unchanged: "Unchanged",
    duplicates: "Duplicates",
    duplicate_lines: "Lines of duplicates",
    rejected: "Rejected",
    line: "Line",
    field: "Field",
    category: "Category",
    active_channel: "Active",
    inactive_channel: "Inactive",
    opted_out: "Opted out",
    opt_out: "Opt out",
    opt_in: "Opt in",
    activate: "Activate",
    deactivate: "Deactivate",
    check: "Check these channels",
    check_hint: "Asks Telegram, five a second, whether a bot may still write to each. What it may not is set inactive.",
    last_check: "Last check",
    checked: "Checked",
    check_active: "May be written to",
    check_inactive: "May not",
    check_unclear: "No clear answer",
    no_channels: "No channels yet",
    no_channels_hint: "Drop a file above to begin.",
    nothing_found: "Nothing found",
    nothing_found_hint: "Ask for less: take a filter away.",
    new_batch: "Make a batch",
    no_batches: "No batches yet",
    no_batches_hint: "Name one above; without a category and a search it takes all channels.",
    sendable: "Can be written to",
    export: "Download",
    report: "Report",
    again: "The same again",
    add_channels: "Add channels",
    clone: "Copy",
    new_template: "New template",
    no_templates: "No templates yet",
    no_templates_hint: "Write one; a preview stands beside it.",
    version: "Version",
    versions: "Versions",
    text: "Text",
    placeholders: "Placeholders:",
    code_points: "code points",
    parse_mode: "Format",
    plain: "Plain text",
    media: "Photo, video or file",
    media_kind: "Kind",
    media_source: "URL or file id",
    preview: "Preview",
    test_send: "Send a test",
    test_sent: "The test was sent.",
    no_bots: "No bots yet",
    no_bots_hint: "Add the token that BotFather gave you, or set TELEGRAM_BOT_TOKEN.",
    bot_works: "Works",
    bot_held: "Waits",
    today: "Today",
    bot_stopped: "Stopped",
    add_bot: "Add the bot",
    token: "Token",
    new_token: "New token",
    role: "Role",
    enabled: "Enabled",
    disabled: "Disabled",
    enable: "Enable",
    disable: "Disable",
    new_password: "New password",
    add_user: "Add the user",
    no_webhooks: "No webhooks yet",
    no_webhooks_hint: "Add a URL below: it is told what becomes of campaigns.",
    webhook_secret: "Its secret is shown this once; deliveries are signed with it, as Standard Webhooks have it:",
    webhooks_hint: "Deliveries are jobs of the queue",
    add_webhook: "Add the webhook",
    who: "Who",
    deed: "Deed",
    subject: "Subject",
    policy: "Policy",
    queues_hint: "Counts are those of the last upkeep. Nothing can be changed here.",
    job: "Job",
    start_after: "Start after",
    attempts: "Attempts",
    no_jobs: "No jobs",
    no_jobs_hint: "Jobs appear when a campaign starts; choose another state.",
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Draft => "Draft",
        Status::Queued => "Queued",
        Status::Running => "Running",
        Status::Paused => "Paused",
        Status::Completed => "Completed",
        Status::Cancelled => "Cancelled",
        Status::Failed => "Failed",
        Status::Missed => "Missed",
    }
}

fn pause_reason(reason: PauseReason) -> &'static str {
    match reason {
        PauseReason::Operator => "An operator paused it: resume it to go on.",
        PauseReason::FloodWait => "Telegram asked the bot to wait.",
        PauseReason::TooManyFloods => {
            "Telegram asked the bot to wait too often: lower the rate, then resume."
        }
        PauseReason::MessageRejected => {
            "Telegram refuses the message: mend the template in a new campaign."
        }
        PauseReason::BotRejected => {
            "Telegram refuses the bot: save a new token under Bots, then resume."
        }
    }
}

fn job_state(state: State) -> &'static str {
    match state {
        State::Pending => "Waiting",
        State::Sending => "Being sent",
        State::Sent => "Sent",
        State::Failed => "Failed",
        State::Skipped => "Skipped",
        State::Uncertain => "Uncertain",
        State::Cancelled => "Cancelled",
    }
}

fn action(action: Action) -> &'static str {
    match action {
        Action::Start => "Start",
        Action::Pause => "Pause",
        Action::Resume => "Resume",
        Action::Cancel => "Cancel",
        Action::RetryFailed => "Retry failed",
        Action::ResendUncertain => "Resend uncertain",
    }
}

fn action_means(action: Action) -> &'static str {
    match action {
        Action::Start => {
            "Its messages are planned and sent from now on, or from the time it is scheduled for."
        }
        Action::Pause => "Nothing more is sent until it is resumed. What is under way arrives.",
        Action::Resume => "It goes on at its rate, without a burst.",
        Action::Cancel => "It stops for good; what was not sent never will be.",
        Action::RetryFailed => {
            "What failed is sent once more, to channels that can still be written to."
        }
        Action::ResendUncertain => {
            "What may have arrived is sent again: some channels may get it twice."
        }
    }
}

fn mode(mode: &str) -> &'static str {
    match mode {
        "TEST" => "Test: all to your own chat",
        "DRY_RUN" => "Dry run: nothing is sent",
        _ => "Live: the batch's channels",
    }
}

/// By the code of the API's error.
fn next_step(code: &str) -> &'static str {
    match code {
        "INVALID" => "Go back, mend the field and send the form again.",
        "FORBIDDEN" => "Ask an administrator for a role that may.",
        "NOT_FOUND" => "It may have been deleted; go back to the list.",
        "UNAVAILABLE" | "TIMEOUT" | "TELEGRAM_UNREACHABLE" => "Try again in a moment.",
        "BAD_CREDENTIALS" => "Check both; after several attempts you must wait.",
        "TOO_MANY_LOGINS" => "Wait, then try again.",
        "TELEGRAM_REFUSED" => "Check the chat's id, and that you have written to the bot first.",
        _ => "Go back and try again; if it stays, ask whoever runs Telecast: the log says more.",
    }
}
