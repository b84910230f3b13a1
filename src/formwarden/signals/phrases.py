"""Words that show which way a message points: what it promises, what it wants done, and what it asks for.

Written by us on 2026-11-24, of everyday words by family, after reading samples of the development corpora: what a
family is was learned there (calls to subscribe, the Russian stems), so recall on those corpora flatters the list.
Phrases that only one corpus uses were taken out again. A word belongs to one family. One word means nothing; see
`offers`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "gain": (  # what the reader is said to get
        "free win won winner winners winning prize prizes award awarded bonus bonuses reward rewards "
        "giveaway cash cashback earn earning earnings income profit profits "
        "profitable guaranteed guarantee complimentary cheap cheapest lowest lottery jackpot million millions wealth "
        "rich savings unlimited exclusive bargain bargains wholesale fortune inheritance opportunity opportunities "
        "risk-free congratulations congrats selected lucky entitled"
    ),
    "act": (  # what the reader should do at once
        "call txt text reply click visit join buy order download claim register signup redeem dial check "
        "checkout follow"
    ),
    "mass": (  # what is written to many
        "unsubscribe opt-out optout promotion promotional promo advertising advertisement sponsored "
        "newsletter removed removal tcs t&cs t&c"
    ),
    "wares": (  # what is sold to strangers
        "seo backlink backlinks traffic ranking rankings followers leads marketing crypto bitcoin forex trading "
        "casino casinos betting viagra cialis pills pharmacy porn sex xxx dating singles adult adults nude girls "
        "escort hack hacked hacking herbal loan loans mortgage mortgages "
        "refinance debt investment investments investors mlm"
    ),
    "own": (  # what the writer wants seen
        "channel videos video music song songs remix cover covers album playlist facebook instagram twitter "
        "youtube store app shop company products services team"
    ),
    "page": (  # what a page is called by those who praise any page
        "blog blogs weblog weblogs post posts article articles webpage webpages website websites site sites "
        "content readers writing writeup write-up bookmark bookmarked bookmarks reader visitors rss feed blogger "
        "bloggers blogging author commenting comment comments topic topics web-site"
    ),
    "praise": (
        "great nice excellent awesome wonderful fantastic amazing informative interesting helpful valuable "
        "appreciate love enjoyed enjoy impressed superb brilliant magnificent fabulous good useful pleasant "
        "beautiful glad inspired extremely truly definitely quality thanks thank keep"
    ),
    "talk": (  # how people think aloud to one another
        "i'm i've i'd i'll but because maybe though actually seems problem problems wrote think probably anyway "
        "already tried error question questions hope wrong"
    ),
    "plug": "subscribe subscribed subscribing sub subs",
    "money": "usd dollars pounds euros руб рублей",
    "ask": "how what when where why can could would should does anybody anyone need wondering whether",
}

_PHRASES: Final[Mapping[str, str]] = {
    "offer": (
        "we offer,we provide,we specialize,we specialise,we are a leading,our company,our services,our service,"
        "our products,our team,our clients,we can help,we help,i can help,can help you,increase your,boost your,"
        "grow your,improve your,first page,for you,"
        "work from home,from home,per week,per month,per day,no obligation,no cost,this offer,special offer,"
        "make money,extra income,sign up,click here,to claim,call now,reply to,text to,dear friend,dear sir,"
        "private message,in private,dm me,visit our,visit my,more information,more info,for more,"
        "for only,as low as,up to"
    ),
    "plug": (
        "check out my,check out our,check out this,check out the,check out these,check it out,check us out,"
        "check me out,check my channel,check my page,check my video,check my videos,check my music,come check,"
        "my channel,our channel,my page,subscribe to me,subscribe to my,subscribe to our,subscribe me,"
        "subscribe my,please subscribe,subscribe please,and subscribe,subscribe and,"
        "my site,my blog,my video,my videos,my music,"
        "my song,my songs,our songs,watch my,like my,listen to my,look at my,follow me,follow us,sub to,"
        "sub me,add me,like and share,share this"
    ),
    "this page": (
        "this site,this website,this web site,this web page,this blog,this post,this article,this topic,"
        "your blog,your post,your posts,your article,your articles,your writing,"
        "web page,web site,web sites,blog post,i have read,bookmarked it,keep up,keep it up,well written,"
        "stumbled upon,"
        "on the web"
    ),
    "request": (
        "could you,can you,would you,do you,are you,let me know,would like,how much,how do,how can,how long,how many,"
        "is there,are there,can i,can we,may i,i need,we need,i want,i have,i am,we are looking,looking for,my order,"
        "my account,my card,please send,interested in your,your best,your price,your prices,your services,"
        "your products,a quote,please provide,please call me,call me,may we,could we,i would,we would,"
        "please confirm,what is,what are"
    ),
}

_STEMS: Final[Mapping[str, str]] = {  # five letters: Russian words bend at the end
    "gain": "зараб доход прибы беспл бонус выигр призы подар гарант скидк оплат выпла процен деньг",
    "act": "пиши пишит пишем напиш подпи перех регис отпра звони заход жмите",
    "wares": "крипт ставк инвес интим эскор казин арбит валют трейд биржа биржи модел ставо кредит займ",
    "mass": "набор набир коман партн удалё удале обуче легал заинт сотру подро личк желаю ищем нужен",
    "own": "канал групп проек личны",
}

JAPANESE_OFFERS: Final = [
    "突然のご連絡",
    "突然のメール",
    "突然のご案内",
    "突然ですが",
    "弊社では",
    "当社では",
    "弊社は",
    "貴社の",
    "御社の",
    "ご提案",
    "ご案内",
    "無料で",
    "無料トライアル",
    "無料相談",
    "無料診断",
    "お試し",
    "トライアル",
    "導入",
    "実績",
    "集客",
    "売上アップ",
    "売上を",
    "補助金",
    "助成金",
    "コスト削減",
    "オンライン面談",
    "お打ち合わせ",
    "ご興味",
    "資料をお送り",
    "資料をご",
    "配信停止",
    "営業代行",
    "成果報酬",
    "限定",
    "ご紹介させて",
    "初期費用",
    "月額",
    "代行",
    "業界最安",
    "支援して",
    "提供して",
    "サービスを",
]
JAPANESE_REQUESTS: Final = [
    "見積",
    "教えて",
    "相談した",
    "知りたい",
    "可能でしょうか",
    "ありますか",
    "ありませんか",
    "できますか",
    "ご回答",
    "購入",
    "予約",
    "注文",
    "いただけますか",
    "もらえますか",
    "届いて",
    "届か",
    "返品",
    "交換",
    "故障",
    "修理",
    "キャンセル",
    "希望します",
    "希望です",
    "希望して",
    "お願いできますか",
    "お願いできません",
    "探して",
    "泊まり",
    "検討して",
    "でしょうか",
    "在庫",
    "納期",
    "困って",
]

_COMMON: Final = frozenset(
    [
        "your",
        "you",
        "our",
        "my",
        "this",
        "what",
        "are",
        "is",
        "there",
        "can",
        "i",
        "we",
        "the",
        "and",
        "to",
        "for",
        "in",
        "me",
        "would",
        "could",
        "do",
        "how",
    ]
)
WORD_BYTES: Final = b"abcdefghijklmnopqrstuvwxyz0123456789'&-"
STEM_BYTES: Final = 10  # five Cyrillic letters in UTF-8


def _by_word(families: Mapping[str, str]) -> Mapping[bytes, str]:
    return MappingProxyType({word.encode(): family for family, words in families.items() for word in words.split()})


def _by_head(families: Mapping[str, str]) -> Mapping[bytes, tuple[tuple[str, str], ...]]:
    """File each phrase under its rarest word: a text without it need not be searched."""
    filed: dict[bytes, list[tuple[str, str]]] = {}
    for family, phrases in families.items():
        for phrase in phrases.split(","):
            head = max(phrase.split(), key=lambda word: (word not in _COMMON, len(word))).encode()
            filed.setdefault(head, []).append((f" {phrase} ", family))
    return MappingProxyType({head: tuple(found) for head, found in filed.items()})


FAMILIES: Final = _by_word(_WORDS)
STEMS: Final = MappingProxyType({word[:STEM_BYTES]: family for word, family in _by_word(_STEMS).items()})
PHRASES: Final = _by_head(_PHRASES)
