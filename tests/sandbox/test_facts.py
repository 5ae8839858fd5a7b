"""The index of what is known of Microsoft 365, and the test that proves that the sandbox does the same.

Each line is one fact in our words, under the page of learn.microsoft.com (or the other source) that tells it. An
implementer who doubts a fact finds its test here; a fact whose test was renamed or removed fails below.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

FACTS: dict[str, dict[str, str]] = {
    "identity-platform/v2-oauth2-auth-code-flow": {
        "an app for one tenant is refused on common": "entra_authorize::test_an_app_for_one_tenant_cannot_use_common",
        "the tenant is named by id or by verified domain": "entra_authorize::test_the_tenant_may_be_named_by_id_or_domain",
        "personal accounts share one tenant id": "entra_authorize::test_personal_accounts_have_a_tenant_of_their_own",
        "the answer comes as query, fragment or form": "entra_authorize::test_the_answer_comes_in_the_query_the_fragment_or_a_form",
        "four prompts exist": "entra_authorize::test_only_four_prompts_are_known",
        "select_account overrides login_hint": "entra_authorize::test_select_account_overrides_the_login_hint",
        "prompt=login asks again": "entra_authorize::test_prompt_login_asks_again_despite_the_session",
        "prompt=none without a session is login_required": "entra_authorize::test_prompt_none_without_a_session_is_login_required",
        "prompt=none without consent": "entra_authorize::test_prompt_none_without_consent_follows_its_switch",
        "domain_hint skips discovery": "entra_authorize::test_the_domain_hint_narrows_the_accounts",
        "PKCE is S256 or plain": "entra_authorize::test_pkce_may_be_plain_and_its_challenge_has_43_to_128_characters",
        "the verifier is checked": "sign_in::test_a_code_without_its_verifier_is_worth_nothing",
        "a code works once": "sign_in::test_a_code_works_once_and_for_ten_minutes",
        "a code lives ten minutes, or one": "switch_settings::test_a_code_is_good_for_ten_minutes_or_for_one",
        "client_info comes when asked for": "entra_authorize::test_client_info_names_object_and_tenant",
        "a bad app or redirect address is a page": "sign_in::test_an_unknown_app_or_redirect_address_is_a_page_and_no_redirect",
        "other errors are redirected": "entra_authorize::test_a_wrong_request_is_told_on_the_redirect_and_a_wrong_app_is_not",
        "the secret may come by Basic": "entra_token::test_the_secret_may_come_by_basic",
        "the app may prove itself by certificate": "entra_token::test_an_assertion_signed_with_the_certificate_proves_the_app",
        "a refresh asks for a part of what was granted": "entra_token::test_a_refresh_may_ask_for_less_and_for_all_of_it_later",
        "scope is answered in full, offline_access never": "entra_token::test_the_scope_of_the_answer_is_full_and_without_offline_access",
        "refresh token, id token: only with their scopes": "entra_token::test_each_scope_brings_its_own_part",
        "invalid_client is 401, or 400": "entra_token::test_the_status_of_invalid_client_follows_its_switch",
        "a wrong secret is invalid_client": "sign_in::test_a_wrong_secret_is_the_operators_problem",
        "the description's trailer has two forms": "entra_codes::test_the_trailer_of_a_description_follows_its_switch",
    },
    "identity-platform/reply-url": {
        "redirect URIs match exactly, but for localhost's port": "entra_authorize::test_redirect_uris_are_exact_but_for_the_port_of_localhost",
        "what may not be registered": "entra_authorize::test_what_reply_url_forbids_cannot_be_registered",
    },
    "identity-platform/configurable-token-lifetimes": {
        "an access token lives 60 to 90 minutes, drawn": "entra_token::test_token_lives_are_drawn_between_sixty_and_ninety_minutes",
        "sign-in frequency ends a session": "entra_token::test_sign_in_frequency_counts_from_the_sign_in_not_from_the_refresh",
    },
    "identity-platform/refresh-tokens": {
        "an old refresh token stays good when used": "sign_in::test_a_used_refresh_token_stays_good",
        "it dies of 90 idle days": "entra_token::test_ninety_days_without_use_end_it_and_each_use_begins_anew",
        "that of a single-page app lives a day": "entra_token::test_a_token_of_a_single_page_app_lives_a_day_however_often_it_is_used",
        "what revokes it and what does not": "entra_token::test_the_table_of_revocations",
        "it is bound to user and app, not to a tenant": "entra_token::test_one_refresh_token_serves_where_its_user_is_a_guest",
        "withdrawn consent shows at the next refresh": "sign_in::test_withdrawn_consent_shows_at_the_next_refresh",
        "a disabled account shows at the next refresh, or on the page": "entra_token::test_a_disabled_account_is_told_so_by_switch",
    },
    "identity-platform/v2-protocols-oidc": {
        "the discovery documents": "entra_id_tokens::test_the_discovery_documents_name_issuer_and_addresses",
        "keys are published and change": "entra_id_tokens::test_a_new_key_is_published_beside_the_old_one",
        "the id token is signed by a published key": "sign_in::test_the_id_token_is_signed_by_the_published_key",
        "sub is pairwise": "entra_id_tokens::test_the_subject_is_pairwise",
        "logout": "entra_authorize::test_logout_returns_to_a_registered_address_and_keeps_refresh_tokens",
    },
    "identity-platform/scopes-oidc": {
        ".default is all that was granted and mixes with nothing": "entra_token::test_default_is_everything_granted_and_mixes_with_nothing",
        "incremental consent shows what is new": "entra_token::test_incremental_consent_shows_only_what_is_new",
        "OpenID scopes alone reach userinfo only": "entra_token::test_openid_scopes_alone_reach_userinfo_only",
    },
    "identity-platform/application-consent-experience": {
        "the blocks of the consent page": "entra_consent::test_the_consent_page_has_its_blocks",
        "Cancel tells a subcode, or AADSTS65004": "entra_consent::test_cancel_has_two_forms",
        "an administrator may consent for everybody": "sign_in::test_an_administrator_consents_for_everybody",
    },
    "enterprise-apps/application-sign-in-unexpected-user-consent-error": {
        "blocked by policy: a page; on Return a bare cancel": "entra_consent::test_the_need_of_an_administrator_is_a_page_or_a_redirect",
        "a risky app gets basic permissions only": "entra_consent::test_a_risky_app_gets_basic_permissions_only",
        "assignment required": "entra_authorize::test_an_app_that_requires_assignment_refuses_the_others",
    },
    "identity-platform/v2-admin-consent": {
        "the link grants for the whole tenant": "sign_in::test_the_admin_consent_link_grants_for_the_whole_tenant",
        "not on common, not by ordinary users": "sign_in::test_the_admin_consent_link_does_not_work_for_common_or_an_ordinary_user",
        "declined: consent_required": "entra_consent::test_a_declined_admin_consent_says_consent_required",
        "the older form": "entra_consent::test_the_older_admin_consent_link_follows_its_switch",
    },
    "enterprise-apps/configure-admin-consent-workflow": {
        "the app hears nothing until it is approved": "sign_in::test_with_the_workflow_the_app_hears_nothing_until_an_administrator_approves",
        "which roles approve": "entra_consent::test_which_roles_may_approve_for_all",
        "reviewers and requester get mail": "entra_consent::test_reviewers_and_requester_are_told_by_mail",
        "requests expire": "entra_consent::test_a_request_expires_undecided",
    },
    "identity-platform/claims-challenge": {
        "cp1: long tokens and a challenge": "entra_token::test_a_client_with_cp1_gets_long_tokens_and_a_claims_challenge",
        "without cp1 none": "entra_token::test_a_client_without_cp1_is_never_challenged",
    },
    "identity-platform/reference-error-codes": {
        "every code, at its place": "entra_codes::test_every_code_can_be_ordered_for_an_account_at_its_place",
        "what brings a code about": "entra_codes::test_what_brings_a_code_about",
        "Conditional Access: a page or a redirect": "entra_authorize::test_a_blocked_sign_in_is_a_page_or_a_redirect_by_switch",
        "channel and status can be set by code": "entra_codes::test_channel_status_and_names_of_a_code_can_be_overridden",
    },
    "enterprise-apps/manage-app-consent-policies": {
        "which permissions each policy blocks": "entra_consent::test_each_policy_blocks_its_permissions",
        "existing consent goes on": "entra_consent::test_an_existing_consent_outlives_a_stricter_policy",
        "a verified publisher does not help": "entra_consent::test_a_verified_publisher_is_no_help_against_the_policy",
        "sending alone needs no administrator": "sign_in::test_sending_alone_needs_no_administrator",
    },
    "graph/permissions-reference": {
        "without its permission an operation is refused": "door::test_each_operation_needs_its_permission",
        "Mail.ReadBasic shows no body": "door::test_read_basic_shows_no_body",
        "writing contacts needs Contacts.ReadWrite": "graph_contacts::test_writing_needs_a_scope_of_its_own",
        "a delegated token reaches its own mailbox": "door::test_me_tells_who_signed_in",
        "without a mailbox: MailboxNotEnabledForRESTAPI": "door::test_an_account_without_a_mailbox_is_told_apart",
    },
    "graph/api/resources/message": {
        "headers and the unique body only by $select": "message_fields::test_headers_and_unique_body_come_only_when_selected",
        "the preview has 255 characters": "message_fields::test_the_preview_has_at_most_255_characters",
        "lists show selected headers, or do not": "switch_settings::test_lists_show_the_headers_or_not",
        "custom headers: x-, five at most": "mail::test_custom_headers_must_begin_with_x",
        "hasAttachments is false with inline parts only": "message_fields::test_inline_parts_alone_are_no_attachments",
        "every item has an etag": "message_fields::test_every_item_has_an_etag_of_its_version",
        "an invitation is an eventMessageRequest": "calendar::test_an_invitation_lies_in_the_inbox_and_in_the_calendar",
        "times are UTC, with Z": "message_fields::test_times_are_utc_and_written_with_z",
        "at most 500 recipients": "drafts::test_a_message_has_at_most_500_recipients",
        "headers at creation only; an empty list is refused": "drafts::test_a_list_of_headers_may_not_be_empty_and_ends_at_five",
        "headers are not changed later": "drafts::test_headers_are_given_when_the_draft_is_made_and_not_later",
        "unsafe HTML only on request": "graph_mail::test_html_is_read_without_what_could_run",
    },
    "graph/outlook-send-mime-message": {
        "a MIME draft carries any header": "mail::test_a_mime_draft_may_carry_any_header",
        "bad base64 is refused": "drafts::test_mime_that_is_no_base64_is_refused",
        "MAPI properties become headers, or not": "switch_settings::test_mapi_properties_become_headers_or_are_ignored",
        "attachments travel in the MIME": "message_fields::test_the_mime_carries_attachments_there_and_back",
    },
    "graph/api/message-createreply": {
        "201 or 200": "drafts::test_create_reply_answers_201_or_200",
        "comment or body, not both": "mail::test_comment_and_body_together_are_refused",
        "replyTo is honoured and the subject says RE": "drafts::test_a_reply_goes_where_reply_to_says",
    },
    "graph/api/message-update": {
        "what was sent changes with Mail-Advanced only": "graph_mail::test_a_sent_item_changes_only_with_mail_advanced_from_the_day_on",
        "read state and categories stay free": "graph_mail::test_flags_categories_and_receipts_are_kept",
        "a stale change key is a conflict": "graph_mail::test_a_stale_change_key_is_a_conflict",
    },
    "graph/api/attachment-createuploadsession": {
        "large attachments come in pieces": "graph_mail::test_small_attachments_are_posted_and_large_ones_uploaded_in_pieces",
    },
    "graph/outlook-things-to-know-about-send-mail": {
        "202, then the item moves": "mail::test_a_sent_draft_lies_in_sent_items_and_in_the_recipients_inbox",
        "sendMail returns no id": "mail::test_send_mail_needs_no_draft",
        "action parameters in any case": "drafts::test_the_parameters_of_send_mail_may_be_written_in_any_case",
        "sendMail over 4 MB": "graph_limits::test_a_send_of_over_four_megabytes_is_a_switch",
        "unknown recipients come back as mail": "mail::test_mail_to_an_unknown_address_of_a_known_domain_comes_back",
        "no recipients: ErrorInvalidRecipients": "mail::test_a_message_without_recipients_is_refused",
        "another sender: ErrorSendAsDenied": "mail::test_nobody_sends_in_anothers_name",
        "202 with an empty body": "drafts::test_send_answers_202_and_nothing_else",
        "a full mailbox: ErrorQuotaExceeded": "inbox::test_a_full_mailbox_takes_nothing_and_what_is_sent_there_comes_back",
    },
    "graph/outlook-immutable-id": {
        "it survives sending, or does not": "mail::test_the_immutable_id_survives_sending_or_changes_as_the_switch_says",
        "delta gives it where it is preferred": "delta::test_immutable_ids_are_given_where_they_are_preferred",
        "notifications give it to those who subscribed so": "subscriptions::test_immutable_ids_come_to_those_who_subscribed_so",
        "ids are translated": "graph_mail::test_ids_are_translated_up_to_a_thousand",
        "the internetMessageId finds the message": "mail::test_a_message_is_found_by_its_internet_message_id",
        "an answer has the same conversation, or another": "switch_settings::test_an_answer_has_the_conversation_of_what_it_cites_or_another",
        "it survives a move": "message_fields::test_the_immutable_id_survives_a_move_and_the_other_does_not",
    },
    "graph/extended-properties-overview": {
        "found by value": "mail::test_a_message_is_found_by_its_extended_property_before_and_after_sending",
        "shown when expanded": "mail::test_extended_properties_are_shown_when_expanded_and_stay_at_home",
        "open extensions": "graph_mail::test_open_extensions_are_kept_under_their_name",
        "the answer does not show them": "drafts::test_the_answer_does_not_show_extended_properties",
        "filtered by eq, ne, startswith, contains": "drafts::test_extended_properties_are_filtered_by_their_value_in_any_case",
        "a name has its case": "drafts::test_the_name_of_an_extended_property_has_its_case_and_its_number_has_none",
    },
    "graph/api/user-list-messages": {
        "ten on a page, opaque links": "mail::test_a_list_is_paged_by_next_links_with_the_genuine_host",
        "what is ordered by is filtered by first": "mail::test_ordering_by_what_is_not_filtered_is_inefficient",
        "only selected fields leave": "mail::test_only_selected_fields_leave",
        "text bodies by preference": "mail::test_unique_body_holds_only_the_new_text",
        "$top from 1 to 1000": "message_fields::test_a_page_holds_at_most_a_thousand",
        "the well-known folders": "message_fields::test_well_known_folders_are_reached_by_their_names",
        "hidden folders on request": "message_fields::test_hidden_folders_are_listed_when_asked_for",
    },
    "graph/search-query-parameter": {
        "words, phrases, properties": "graph_mail::test_search_finds_words_phrases_and_properties",
        "alone": "graph_mail::test_search_stands_alone_or_not_by_a_switch",
    },
    "graph/api/message-delta": {
        "a first round gives all, in pages": "delta::test_a_first_round_gives_everything_in_pages",
        "then only what changed": "delta::test_the_delta_link_gives_only_what_changed_since",
        "options are frozen": "delta::test_options_are_frozen_into_the_link",
        "page size is a preference": "delta::test_page_size_is_a_preference",
        "filter by received time only": "delta::test_a_filter_by_time_leaves_the_past_out",
        "what left is @removed": "delta::test_a_message_that_left_is_reported_as_removed",
        "replays happen": "switch_settings::test_a_delta_link_tells_the_last_item_again_or_not",
        "410 with a Location": "delta::test_an_expired_link_answers_410_with_a_fresh_start",
        "$deltatoken=latest": "graph_mail::test_deltatoken_latest_is_a_switch",
        "no $search": "delta::test_delta_takes_no_search",
        "changeType": "delta::test_a_round_can_be_of_one_kind_of_change",
        "5,000 at most with a filter": "delta::test_a_first_round_filtered_by_time_ends_at_5000",
        "of the whole mailbox": "delta::test_the_delta_of_the_whole_mailbox_follows_what_moves",
    },
    "exchange: delivery reports": {
        "from Microsoft Outlook, to whom it failed, as multipart/report": "message_fields::test_a_delivery_report_is_a_report_and_names_who_failed",
    },
    "exchange: automatic replies": {
        "once to each sender": "inbox::test_a_sender_is_told_once_that_somebody_is_away",
        "never to what no person wrote": "inbox::test_no_automatic_reply_answers_what_no_person_wrote",
        "they say so in headers, or do not": "switch_settings::test_an_automatic_reply_says_so_in_its_headers_or_not",
    },
    "graph/json-batching": {
        "each request its own answer, dependencies, 424": "batch::test_each_request_gets_its_own_answer",
        "at most 20, ids unique": "batch::test_a_malformed_batch_is_refused",
        "throttled one by one": "graph_limits::test_each_item_of_a_batch_is_throttled_by_itself",
    },
    "graph/api/subscription-post-subscriptions": {
        "seven days at most": "subscriptions::test_a_subscription_lives_seven_days_at_most_and_can_be_renewed",
        "with resource data a day, $select and a certificate": "graph_notifications::test_resource_data_needs_a_select_a_certificate_and_less_than_a_day",
        "the same twice: 409": "subscriptions::test_the_same_subscription_twice_is_a_conflict",
        "under 45 minutes becomes 45": "subscriptions::test_a_short_subscription_lives_45_minutes",
        "1000 for a mailbox": "subscriptions::test_a_mailbox_has_at_most_a_thousand_subscriptions",
        "what it must say, and the resources": "subscriptions::test_what_a_subscription_must_say_and_may_be_about",
        "the read permission is needed and enough": "subscriptions::test_the_read_permission_of_the_resource_is_needed_and_is_enough",
        "no lifecycle address later": "subscriptions::test_a_lifecycle_address_cannot_be_added_later",
        "https only, or any": "subscriptions::test_with_the_switch_an_address_must_be_https",
    },
    "graph/change-notifications-delivery-webhooks": {
        "the handshake": "subscriptions::test_an_address_that_fails_the_handshake_gets_no_subscription",
        "its code when it fails": "switch_settings::test_a_failed_handshake_has_one_code_or_the_other",
        "a notification names the change": "subscriptions::test_a_new_message_is_notified",
        "told again for four hours, then dropped": "graph_notifications::test_a_deaf_endpoint_is_told_again_for_four_hours_and_then_that_it_missed_something",
        "slow endpoints": "graph_notifications::test_a_slow_endpoint_is_told_later_or_not_at_all",
        "late, twice": "switch_settings::test_a_notification_comes_at_once_later_or_twice",
        "both addresses, as text": "subscriptions::test_both_addresses_are_shaken_hands_with_and_the_token_comes_as_text",
    },
    "graph/change-notifications-lifecycle-events": {
        "three events": "subscriptions::test_lifecycle_events_go_to_the_lifecycle_address",
        "reauthorizationRequired in time": "graph_notifications::test_reauthorization_is_asked_for_in_time",
    },
    "graph/change-notifications-with-resource-data": {
        "sealed and signed": "graph_notifications::test_the_item_comes_sealed_and_signed",
    },
    "graph/api/resources/event": {
        "the same transactionId makes one event": "calendar::test_the_same_transaction_makes_one_event",
        "times in the preferred zone": "calendar::test_times_are_given_in_the_preferred_zone",
        "occurrences share uid": "graph_series::test_occurrences_name_their_master_and_share_its_uid",
        "the organizer's delete sends a cancellation, or not": "switch_settings::test_attendees_hear_that_an_event_is_deleted_or_not",
        "snooze and dismiss answer 200": "graph_series::test_reminders_are_snoozed_and_dismissed_with_200",
        "500 attendees at most": "calendar::test_an_event_has_at_most_500_attendees",
        "what comes only when selected": "calendar::test_what_comes_only_when_it_is_selected",
        "202, and 204": "calendar::test_accept_decline_cancel_answer_202_and_delete_204",
    },
    "graph/api/event-delta": {
        "no $select; what left is removed": "calendar::test_the_delta_of_a_view_refuses_select_and_reports_what_went",
        "the window is fixed in the token": "graph_series::test_the_delta_of_a_view_follows_a_series_and_what_leaves_the_window",
    },
    "graph/api/event-update": {
        "only changed attendees get mail": "graph_series::test_a_patch_of_attendees_alone_mails_only_those_that_changed",
        "a small change is silent, or not": "calendar::test_an_organizers_change_travels_with_mail_and_a_small_one_silently",
        "the Teams blob is lost with the body": "graph_series::test_a_teams_meeting_dies_when_its_blob_is_lost_from_the_body",
        "an exception cannot pass its neighbour": "graph_series::test_one_date_can_be_changed_cancelled_and_not_moved_past_its_neighbour",
        "an attendee's edits": "graph_series::test_attendee_edits_after_the_organizers_next_update",
        "public strings travel": "graph_series::test_public_strings_travel_with_the_request_and_private_properties_do_not",
        "an event without guests mails nobody": "calendar::test_a_private_event_without_guests_mails_nobody",
        "private events for readers": "graph_series::test_schedules_tell_busy_times_and_keep_private_events_private",
    },
    "graph/api/user-findmeetingtimes": {
        "when all are free, at work": "graph_meeting_times::test_times_within_the_working_hours_at_which_both_are_free",
        "why there is none": "graph_meeting_times::test_why_there_is_none",
    },
    "graph/outlook-share-or-delegate-calendar": {
        "shared, changed, shared no more": "graph_meeting_times::test_a_calendar_is_shared_changed_and_shared_no_more",
        "colleagues may have more roles": "graph_meeting_times::test_colleagues_may_have_more_roles_than_others",
    },
    "graph/api/resources/messagerule": {
        "conditions that fit": "inbox::test_a_condition_that_fits",
        "moved before it is seen in the inbox": "inbox::test_a_rule_moves_what_arrives_before_anybody_sees_it_in_the_inbox",
    },
    "graph/api/user-list-people": {
        "a fuzzy search": "graph_contacts::test_people_are_found_by_search_with_a_letter_amiss",
        "contacts have a delta": "graph_contacts::test_the_delta_of_contacts_tells_new_changed_and_gone",
    },
    "graph/throttling-limits": {
        "4 at once": "door::test_a_fifth_request_at_the_same_time_is_throttled",
        "10,000 in ten minutes for app and mailbox": "graph_limits::test_requests_of_ten_minutes_are_counted_for_app_and_mailbox",
        "150 MB in five minutes": "graph_limits::test_uploads_of_five_minutes_are_counted",
        "Retry-After: whole, fraction, missing": "switch_settings::test_retry_after_is_whole_a_fraction_or_missing",
        "429, 503, 504 may hide that the work was done": "faults::test_before_leaves_the_work_undone_and_after_hides_that_it_was_done",
    },
    "office365/exchange-online-limits": {
        "30 messages a minute, the rest waits": "graph_limits::test_more_than_thirty_messages_a_minute_wait_and_are_not_refused",
        "10,000 recipients a day": "graph_limits::test_recipients_of_a_day_are_limited",
        "the tenant's external rate": "graph_limits::test_the_tenants_external_rate_grows_with_its_licences",
    },
    "graph/errors": {
        "the envelope": "contract::test_an_error_must_have_the_envelope",
        "innerError, or innererror": "switch_settings::test_the_inner_error_is_spelt_one_way_or_the_other",
        "request ids in the headers": "door::test_answers_carry_the_ids_by_which_microsoft_finds_them",
        "401 without a token": "door::test_without_a_token_nothing_opens",
        "401 when it has expired": "sign_in::test_an_access_token_expires_by_the_sandboxes_clock",
        "404 for what is gone": "door::test_what_is_not_there_is_an_item_not_found",
        "codes of a malformed request": "switch_settings::test_a_malformed_request_has_one_of_three_codes",
        "key syntax and delta()": "switch_settings::test_odata_key_syntax_is_understood_or_refused",
        "enum values in any case, or not": "graph_mail::test_another_case_of_an_enum_is_a_switch",
        "400 for what can be no id": "message_fields::test_an_id_that_cannot_be_one_is_malformed",
        "any other code": "faults::test_any_error_of_graphs_can_be_ordered",
        "the headers of an answer": "door::test_answers_ask_for_a_safe_line",
        "the SDK's @odata.type": "drafts::test_the_sdks_type_annotations_are_understood",
        "the gateway's 429": "faults::test_the_gateways_429_says_its_status_twice",
    },
}  # fmt: skip


@cache
def named_in(file: str) -> set[str]:
    tree = ast.parse((Path(__file__).parent / f"test_{file}.py").read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("page", "fact"), [(page, fact) for page, facts in FACTS.items() for fact in facts], ids=lambda text: text
)
def test_a_fact_has_its_test(page: str, fact: str) -> None:
    file, _, test = FACTS[page][fact].partition("::")

    assert test in named_in(file)
