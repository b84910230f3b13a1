"""The direction of a message: offers minus requests, in English, Japanese and Russian."""

import pytest

from formwarden.scoring import Action, Thresholds, decide, weigh
from formwarden.signals import DEFAULT_COMPOSITES, DEFAULT_SIGNALS
from formwarden.signals.offers import FULL_AT, POINTS, SILENT_BELOW, offer_points, one_sided
from formwarden.signals.phrases import _PHRASES, _STEMS, _WORDS, FAMILIES
from formwarden.submission import Submission
from tests.signals.cases import see, typed

CONTENT = [signal for signal in DEFAULT_SIGNALS if signal.group == "content"]
PEOPLE = [
    (
        "Hello, I run a small bakery in Leeds and would like a quote for a new website. Our current site is "
        "https://bakery.example and we need an online shop. Could you call me on 07911 123456? Thanks, Ann"
    ),
    "Please call 07911123456 to arrange a visit. Thank you",
    "Hi, I bought the blue chair from your shop last week (order 48213) and one leg is broken. Can you send one?",
    (
        "Great website! I love your products. Do you ship to Canada and how much is it? "
        "I saw a free shipping offer for orders over $50."
    ),
    "We are interested in your services. Please contact us at your convenience to discuss marketing our products.",
    "I read your article about bread and enjoyed it. May I translate it for our school newsletter?",
    "Your website is down! When I click buy now on your checkout page nothing happens. I tried Chrome and Firefox.",
    "How do I unsubscribe from your newsletter? I click the link but it does nothing.",
    "I would like to subscribe to your newsletter please.",
    "Is the 20% discount still available today? I want to buy two gift vouchers for my team.",
    "Hi! We want to book a table for 12 on Friday to celebrate winning our league!! Can we bring our own cake?",
    "The build fails with error E1234 when I run make on Debian 12; see https://a.example/3 and https://b.example/z.",
    "I saw the job posting on your website and would like to apply. My portfolio is at www.ann.example. Thank you.",
    "御社のホームページを拝見し、製品の見積もりをお願いしたくご連絡いたしました。納期を教えてください。 https://a.example",
    "突然のご連絡失礼いたします。貴社の木材を購入したいのですが、価格表をお送りいただけますか。よろしくお願いいたします。",
    "資料請求をお願いします。御社のサービスの導入を検討しています。費用と導入実績を教えてください。",
    "御社のサービスに興味があります。一度お打ち合わせをお願いします。",
    "Здравствуйте, сколько стоит доставка в Казань? Можно ли оплатить картой? Спасибо.",
]
SENT_TO_MANY = [
    "Congratulations! You have been selected to win a guaranteed cash prize. Call 0900123456 to claim your award!!",
    "We offer cheap SEO and guaranteed rankings. Boost your sales and increase your traffic for only $99 per month!",
    "Check out my channel and subscribe to me, new songs every day!!",
    "Great post! I have bookmarked this website. Keep up the good writing, your articles are really informative.",
    "突然のご連絡失礼いたします。貴社の集客を支援しており、無料診断をご案内しております。ご興味がございましたら資料をお送りします。",
    "弊社ではホームページ制作を月額1万円で提供しております。初期費用無料、補助金も活用できます。",
    "Набираем людей в команду! Высокий доход, обучение бесплатно, заработок на крипте. Пишите в личку!",
]


@pytest.mark.parametrize("text", PEOPLE)
def test_what_people_ask_is_never_held_for_its_content(text: str) -> None:
    facts = typed({"name": "Ann Lee", "email": "ann@example.com", "message": text})
    weighed = weigh(CONTENT, Submission("contact", {}), facts, composites=DEFAULT_COMPOSITES)
    assert decide(weighed, Thresholds()) is Action.ACCEPT
    assert weighed.score <= Thresholds().quarantine - 2


@pytest.mark.parametrize("text", SENT_TO_MANY)
def test_what_is_offered_to_many_is_held(text: str) -> None:
    weighed = weigh(CONTENT, Submission("contact", {}), typed({"message": text}), composites=DEFAULT_COMPOSITES)
    assert decide(weighed, Thresholds()) is Action.QUARANTINE


@pytest.mark.parametrize("request_", ["Could you send me a quote?", "How much is it? I would like to know."])
def test_a_request_takes_off_what_an_offer_adds(request_: str) -> None:
    offer = "We offer free prizes. Click here!"
    assert offer_points(f"{offer} {request_}") < offer_points(offer)


def test_a_japanese_request_takes_off_what_an_offer_adds() -> None:
    assert offer_points("弊社はご提案します。見積を教えて") < offer_points("弊社はご提案します。")


def test_a_longer_text_meets_families_by_chance_and_is_discounted() -> None:
    offer = "Free prizes guaranteed, click here to join!"
    assert offer_points(offer + " table chair window" * 60) < offer_points(offer) / 2


def test_the_strength_grows_with_the_evidence() -> None:
    weak = see(one_sided, typed({"message": "we offer free prizes"}))
    strong = see(one_sided, typed({"message": "we offer free prizes, click here, guaranteed income!!!"}))
    assert strong is not None
    assert strong.strength >= 1
    assert weak is None or weak.strength <= strong.strength
    assert SILENT_BELOW < FULL_AT


def test_name_and_address_are_no_message() -> None:
    offer = "win free prizes guaranteed cash click here"
    assert see(one_sided, typed({"name": offer, "email": offer})) is None


def test_one_word_alone_says_nothing() -> None:
    assert all(see(one_sided, typed({"message": word.decode()})) is None for word in FAMILIES)


def test_each_word_has_one_family_and_each_family_has_points() -> None:
    for families in (_WORDS, _STEMS):
        words = [word for listed in families.values() for word in listed.split()]
        assert len(words) == len(set(words))
    assert {*_WORDS, *_PHRASES, *_STEMS} <= set(POINTS)
