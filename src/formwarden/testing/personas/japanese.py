"""Japanese inquiries, as parts: every sentence is composed anew."""

from collections.abc import Mapping
from typing import Final

from formwarden.testing.personas.word_lists import word_lists

OPENINGS: Final = (
    "はじめまして。",
    "お世話になります。",
    "こんにちは。",
    "突然のご連絡で失礼します。",
    "",
)
CLOSINGS: Final = (
    "よろしくお願いいたします。",
    "お返事をお待ちしています。",
    "ご教示ください。",
    "お手数をおかけします。",
    "",
)

# A word in braces is one of its list.
SENTENCES: Final = (
    "{month}に{town}で{thing}を{worked}のですが、{part}が{fails}。",
    "{odd}{thing}の{work}をお願いできますか。",
    "{who}が使っていた{odd}{thing}を{day}に{town}から持って行きたいです。",
    "{thing}の{part}だけを{count}個ほしいのですが、{price}円で足りますか。",
    "注文番号{number}の{thing}がまだ{town}に届きません。",
    "{event}までに{count}台の{thing}が必要です。",
    "{day}の{hour}ごろ{who}と{town}から伺ってもよいですか。",
    "{when}と{part}が{fails}ので、{work}の費用を知りたいです。",
    "{who}に{thing}を贈ります。{odd}ものは{colour}でもありますか。",
    "{town}に越してきて{thing}の{work}先を探しています。",
    "{colour}の{thing}を{count}つ、{month}の{event}のあいだ借りられますか。",
    "{number}番の{thing}は{odd}{part}に替えられますか。",
    "{who}は{town}で{thing}を教えていて、{part}の{work}に困っています。",
    "{worked}{thing}の{part}が{when}と{colour}になります。",
    "{hour}なら{who}が電話に出ます。{day}は{event}で留守です。",
    "{price}円と伺った{work}ですが、{odd}{thing}でも同じですか。",
    "{month}の{day}は開いていますか。{town}から{hour}に着きます。",
    "請求書{number}に{part}の{work}が見当たりません。",
)

WORDS: Final = word_lists("""
work: 修理 調整 塗装 交換 清掃 鑑定 研磨 配送 張り替え 溶接 点検 彫刻 保管 製本 染め直し
worked: 買った 直した 借りた 譲られた 落とした 見つけた 預けた 分解した 塗り替えた 濡らした 組み立てた
odd: 古い 小さな 重い 珍しい 木製の 折りたたみの 手作りの 左利き用の 祖父の 傷んだ 丸い 細長い 防水の 静かな
odd: 二十年前の
thing: バイオリン チェロ ギター 椅子 机 自転車 時計 ランプ テント 茶箱 カメラ 鏡 ストーブ 織機 はしご 琴 三味線
thing: 屏風 太鼓 望遠鏡 やかん 和箪笥 万年筆 カヌー
part: 取っ手 弦 ばね ねじ 革紐 蝶番 蓋 車輪 レンズ 踏み板 電線 引き出し 鍵 布 脚 縁 駒 栓 覆い
who: 母 父 娘 息子 祖母 祖父 友人 同僚 隣人 妻 夫 先生 叔父 叔母 生徒 甥 大家 後輩
town: 札幌 仙台 新潟 金沢 長野 静岡 名古屋 京都 神戸 岡山 広島 高松 松山 博多 熊本 那覇 青森 奈良 鎌倉 川越
month: 一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月
day: 月曜日 火曜日 水曜日 木曜日 金曜日 土曜日 日曜日
hour: 朝九時 十時 正午 午後一時 二時半 三時 夕方 六時すぎ 閉店前 昼休み
colour: 黒 白 赤 緑 青 黄色 灰色 茶色 紫 銀色 藍色 朱色
count: 二 三 四 五 六 七 八 九 十 十二 二十
fails: 鳴ります 外れます 漏れます 曲がります 動きません 割れました きしみます 滑ります 光りません 固いです
fails: ゆるいです 焦げます
event: 文化祭 結婚式 発表会 引っ越し 卒業式 夏祭り 合宿 展示会 誕生日 大掃除 法事 演奏会
when: 雨が降る 冬になる 強く押す 立てかける 持ち上げる 夜おそく触る 暖房を入れる 車で運ぶ 長く使う
""")
WORDS_FROM: Final[Mapping[str, tuple[int, int]]] = {"number": (100, 99_999), "price": (800, 98_000)}

# Written, and spelled in addresses.
GIVEN: Final = (
    ("太郎", "taro"), ("花子", "hanako"), ("健", "ken"), ("直美", "naomi"), ("翔", "sho"), ("愛", "ai"),
    ("大輔", "daisuke"), ("由美", "yumi"), ("誠", "makoto"), ("恵", "megumi"), ("蓮", "ren"), ("陽菜", "hina"),
    ("拓也", "takuya"), ("美咲", "misaki"), ("浩", "hiroshi"), ("香織", "kaori"), ("悠斗", "yuto"),
    ("さくら", "sakura"), ("隆", "takashi"), ("裕子", "yuko"), ("亮", "ryo"), ("千尋", "chihiro"),
    ("実", "minoru"), ("葵", "aoi"),
)  # fmt: skip
FAMILY: Final = (
    ("佐藤", "sato"), ("鈴木", "suzuki"), ("高橋", "takahashi"), ("田中", "tanaka"), ("伊藤", "ito"),
    ("渡辺", "watanabe"), ("山本", "yamamoto"), ("中村", "nakamura"), ("小林", "kobayashi"), ("加藤", "kato"),
    ("吉田", "yoshida"), ("山田", "yamada"), ("佐々木", "sasaki"), ("山口", "yamaguchi"), ("松本", "matsumoto"),
    ("井上", "inoue"), ("木村", "kimura"), ("林", "hayashi"), ("清水", "shimizu"), ("山崎", "yamazaki"),
    ("池田", "ikeda"), ("阿部", "abe"), ("橋本", "hashimoto"), ("森", "mori"), ("石川", "ishikawa"),
    ("前田", "maeda"), ("小川", "ogawa"), ("岡田", "okada"), ("藤井", "fujii"), ("青木", "aoki"),
    ("宮崎", "miyazaki"), ("原", "hara"),
)  # fmt: skip
