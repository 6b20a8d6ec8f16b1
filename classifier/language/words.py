"""The most frequent function words of the languages in Latin script, and how many of them decide.

In: nothing. Out: language code -> folded words, numbers. Never holds names, and no words of one trade.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENOUGH: Final = 6.0
ALONE: Final = 0.8
"""So many function words of one language, so large a share of all of them, decide before the rest is read."""

FUNCTION_WORDS: Final = {
    "en": _words(
        "the and to per of is it that this i you my we your our they their was were are be been has have had"
        " not for with on in at from by as but or if so when what which who how why where there here can"
        " could would should will just do does did don't doesn't didn't can't cannot won't isn't it's i'm"
        " i've i'd you're that's there's they're wasn't dont doesnt didnt cant wont isnt im ive its a an"
        " no all any some more very too only also than then now out up about after before because every"
        " even still never again please thanks thank get got need want like good great new one other into"
        " over them these those me us he she his her am while since until always really much many nothing"
        " something anything everything make made use used using works work working well way without back"
        " off down"
    ),
    "de": _words(
        "der die das den dem des ein eine einen einem einer und oder aber nicht kein keine ist sind war"
        " waren wird werden wurde habe hat haben hatte ich du er sie es wir ihr mich mir uns mein meine"
        " unser unsere ihre ihren sein im in am an auf aus bei mit nach seit von vom zu zum zur für über"
        " unter vor durch ohne gegen um als wie wenn weil dass ob auch noch nur schon sehr mehr wieder"
        " immer jetzt hier da dort dann so man kann können muss müssen soll bitte danke leider gut alles"
        " alle etwas nichts wo was wer warum welche diese dieser dieses bin hallo gibt geht"
    ),
    "fr": _words(
        "le la les un une des du de d l et ou mais ne pas plus est sont était être ai as a avons avez ont"
        " avait je tu il elle on nous vous ils elles me te se mon ma mes ton votre vos notre nos leur son"
        " sa ses ce cette ces cet c qui que qu quoi dont où quand comment pourquoi pour par avec sans sous"
        " sur dans en au aux chez depuis entre vers très trop aussi bien tout tous toute toutes rien même"
        " encore déjà toujours jamais si comme donc car merci bonjour à n'est c'est j'ai d'un d'une qu'il"
        " n'ai j'adore j n s fait faire peut peux faut y"
    ),
    "es": _words(
        "el la los las un una unos de del al y o pero no ni es son era ser estar está están estoy fue he"
        " ha han hay tengo tiene yo tú él ella nosotros ustedes me te se nos le les lo mi mis tu su sus"
        " nuestro esta este esto estos ese eso que qué cual quien cuando cómo como donde dónde porque por"
        " para con sin sobre en entre desde hasta muy más menos también ya siempre nunca todo todos toda"
        " nada algo bien si sí gracias hola puedo puede hace hacer solo sólo"
    ),
    "it": _words(
        "il lo la i gli le un uno una di del della dei delle dello al alla ai da dal dalla in nel nella"
        " su sul sulla con per tra e ed o ma non né è sono era essere ho hai ha abbiamo hanno io tu lui"
        " lei noi voi loro mi ti si ci vi mio mia tuo suo nostro questo questa questi quello quella che"
        " chi cosa come quando dove perché perche anche ancora più meno molto sempre mai già tutto tutti"
        " tutte niente bene se grazie ciao buongiorno può posso fare solo"
    ),
    "pt": _words(
        "o a os as um uma de do da dos das ao à no na nos nas em por pelo pela para com sem sobre e ou"
        " mas não nem é são era ser estar está estão estou foi tenho tem têm há eu tu ele ela nós vocês"
        " você me te se lhe meu minha seu sua nosso este esta isto esse essa isso aquele que qual quem"
        " quando como onde porque também já sempre nunca mais menos muito muita tudo todos toda nada bem"
        " só obrigado obrigada olá posso pode fazer depois até"
    ),
    "nl": _words(
        "de het een en of maar niet geen is zijn was waren wordt werd heb heeft hebben had ik jij je hij"
        " zij ze wij we u jullie mij me ons mijn onze uw haar hun dit dat deze die er hier daar in op aan"
        " uit bij met naar van voor door over onder zonder om als dan toen wanneer waarom hoe wat wie"
        " welke ook nog alleen al zeer heel meer weer altijd nooit nu kan kunnen moet moeten wil graag"
        " bedankt hallo te tot alles niets iets goed worden"
    ),
    "sv": _words(
        "och att det som en ett är var inte jag du han hon vi ni de dem mig dig oss min mitt mina din er"
        " på i av för med till från om men eller när där här hur varför vad vem så kan ska skall har hade"
        " blir också bara mycket mer alla allt något inget efter utan över under vid detta denna dessa den"
        " tack hej nu igen alltid aldrig"
    ),
    "da": _words(
        "og at det som en et er var ikke jeg du han hun vi de dem mig dig os min mit mine din på i af for"
        " med til fra om men eller når der her hvor hvordan hvorfor hvad hvem så kan skal har havde bliver"
        " også kun meget mere alle alt noget intet efter uden over under ved dette denne disse den tak hej"
        " nu igen altid aldrig"
    ),
    "nb": _words(
        "og at det som en et ei er var ikke jeg du han hun vi dere de dem meg deg oss min mitt mine din"
        " på i av for med til fra om men eller når der her hvor hvordan hvorfor hva hvem så kan skal har"
        " hadde blir også bare mye mer alle alt noe ingen etter uten over under ved dette denne disse den"
        " takk hei nå igjen alltid aldri"
    ),
    "fi": _words(
        "ja on ei en se että joka kun niin mutta tai jos kuin myös vain nyt sitten minä minun sinä hän me"
        " te he ne tämä tämän tuo mikä mitä kuka miksi miten missä olen ole oli olla ovat voi voin pitää"
        " kaikki mitään jotain kanssa ilman hyvä kiitos hei aina vielä enää"
    ),
    "pl": _words(
        "i w na z do nie to się jest są był była było być mam ma jak że co kto gdzie kiedy dlaczego ale"
        " lub albo oraz czy jeśli gdy po od za przez przed pod dla bez przy o ja ty on ona my wy oni mi"
        " mnie moje mój moja ten ta te tego tym już tylko jeszcze bardzo też także można mogę proszę"
        " dziękuję dzień dobry wszystko nic zawsze nigdy"
    ),
    "cs": _words(
        "a v na s z do ne to se je jsou byl byla bylo být mám má jak že co kdo kde kdy proč ale nebo či"
        " pokud když po od za před pod pro bez při o já ty on ona my vy mi mě můj moje ten ta tento tato"
        " už jen ještě velmi také může mohu prosím děkuji dobrý den vše nic vždy nikdy jsem jsme"
    ),
    "hu": _words(
        "a az és hogy nem is egy ez van volt lesz nincs meg már csak de vagy ha mert mint mi ki hol mikor"
        " miért hogyan én te ő ti ők nekem engem minden semmi nagyon még most itt ott ezt azt ennek után"
        " előtt által sem kell lehet tudom köszönöm kérem jó jól szép üdvözlettel el fel be"
    ),
    "tr": _words(
        "ve bir bu şu o da de ki mi mı için ile ama fakat veya çok daha en gibi kadar sonra önce ne neden"
        " nasıl nerede kim ben sen biz siz onlar benim var yok değil olarak olan oldu olduğu ise her hiç"
        " şey artık teşekkürler merhaba lütfen"
    ),
}
"""The order decides nothing: a tie is no answer."""
