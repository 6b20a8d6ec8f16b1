"""Words that are names and something else as well.

In: nothing. Out: sets of folded words. Never used to find a name, only to not mistake a word for one.
"""

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TITLES: Final = _words(
    "ba bsc cpa dr dr. esq frau herr ii iii iv jr jr. m. madam mba md miss mlle mme mr mr. mrs mrs. ms"
    " ms. msc mx mx. phd prof prof. rev rev. sir sr sr. sra sra."
)
"""Left out of names."""

PARTICLES: Final = _words(
    "af al and av ben bin da dal das de degli del dell della den der di do dos du e el i ibn la le les"
    " mac mc of saint san santa st ten ter the und van vom von y zu zum zur"
)
"""Parts of names that are never looked for by themselves."""

ROLES: Final = _words(
    "account accounting accounts admin administrator ag agent anonymous b.v. billing bot buchhaltung bv"
    " care co co. community company corp corp. customer customers department dept desk engineer"
    " engineering equipe finance gmbh group guest help helpdesk hr inc inc. info it kundendienst"
    " kundenservice llc ltd ltd. manager marketing no-reply noreply office operations ops owner plc"
    " product reception sa sales service services servicio soporte srl success support system team"
    " technical technician test unknown user users ventas vertrieb webmaster équipe"
)
"""A name that holds one of these is a mailbox: it is looked for as a whole, its parts name a company."""

COMMON: Final = _words(
    "abbot ace adobe alexa all amazon amber android angel any api app apple apr april archer are art ash"
    " ask aug august autumn axel baker ball bank banks barber barker baron bass bay bean bear beard beau"
    " bell bench berry best bill bird bishop black blank blaze block bloom blue bob bond bone book booker"
    " boot bottom bow bowl bowler box boy branch brand brandy brass bread bridge bridges bright broad"
    " brook brown brush buck bud buddy bull burden burn burns bush but butcher butler button cable camp"
    " can cannon cape card carol carpenter cart carter carver case cash castle cat cater chain chamber"
    " chambers chance chandler change chapel charge charity charm chase cherry child china chip christian"
    " christmas chrome church clay clear clerk cliff cloud coach coal coin cold constance cook cooper"
    " copper coral corn cotton court craft crane creek crook cross crow crowd crown cruise crystal cuba"
    " curry curtain cutter daily daisy dash dawn day deal dean dear dec december decker deer dell denver"
    " destiny diamond dick did dodge does dolly don dot drain drake drew driver drum dry duck duke eagle"
    " earl early earnest east easter echo eden edge ember english estate eve event every excel fair faith"
    " falcon fall falls farm farmer fast feather feb february fence field fields finch fine finish first"
    " fish fisher fist flag flint flood flower flowers fly fond foot force ford foreman forest forge"
    " foster found fountain fowler fox frank free freeman french fri friday friend front frost fuller gale"
    " game garden gardener gate gates gay gem gene georgia german get gift ginger glass goal gold golden"
    " good google got grace grain grant gray green grey grove guard gunner guy hail hall ham hammer hand"
    " hands hardy harmony harp hart harvest has hatch have hawk hay hazel head heart heat heather hedge"
    " held her herb here hers hey hide high hill hills him his hole holiday holland holly honor hood hook"
    " hope horn house how hunt hunter ice india ireland iris iron isle its ivy jack jade jan january"
    " jasmine jay jean jeans jersey jet jewel job joiner jolly josh journey joy judge jul july jun june"
    " just justice keen keeper key keys kind king kit knife knight lake lamb lance land lane large lark"
    " last law leach leaf leak leather lee lemon let liberty light like lily link little lock london long"
    " lord lotus love low lower luck lynx mac magnolia major make man manner manning many maple mar march"
    " marina marine mark marks mars marsh marshal mason masters mat max may mayor mead meadow melody"
    " merchant mercury mercy merit metal middle miles mill miller mills mine minor mint misty mix mon"
    " monday money monk moon moose more most mount mountain much must nail need neon never new next nick"
    " night nix noble noon norm north not nov nova november now oak oaks ocean oct october off office oil"
    " old olive ollie once one only opal open orange orchard orchid other otter our out outlaw outlook"
    " over own pace page paint painter palm palmer paris parish park parker parks parson pass pat patch"
    " patience peace peach peak pearl peck peg pen penny pepper perch phoenix pick pierce pike pilot pine"
    " pip piper pitcher plank plant please poet point pole pond pool poor pope poppy port porter post pot"
    " potter pound power powers price priest prince promise proper prudence purple put queen quick rail"
    " rain rainbow ram ranger ransom raven ray read reader red reed reef reeves reg rent rhythm rice rich"
    " rider ridge ring rink rio rise river rivers rivet roach road rob robe robin robot rock rocky rod"
    " roman room root rose round rover royal ruby rule run rush rusty saffron sage sailor salt same"
    " samples sand sands sandy sat saturday savage savannah save say scarlet school scout seal season see"
    " seller sep sept september serene serenity sergeant service set shark sharp she shepherd sheriff"
    " shield ship shoe shore short shot should sienna sierra sign signs silk silver since sink siri skip"
    " sky skye slate sleep small smart smith snail snipe snow sol soldier some sonny sorrow south spear"
    " speed spike spring square stack staff stamp star starling steel steep sterling stern steward still"
    " stock stocks stone stop storm story stout strange stream street strong such sue summer summers sun"
    " sunday sunny sure swan sweet swift swing tab tad tailor take tanner temple test thank thanks that"
    " them then there they this thorn those thu thursday tiger time today toll tower town towns trace"
    " train trainer travel traveler tree trees trinity trout true trust try tue tuesday tug twig two ty"
    " use used usher valentine valley valor velvet verity very vest victor victory vine violet wade wagon"
    " wait wall walls want ward warden warren was water waters watt watts wave way wed wednesday week"
    " weekend weeks welcome well were west what wheat wheel when where which white who why wick wild"
    " wilder will willow win wind window windows winds wing winner winter winters wisdom wise with wolf"
    " wood woods woody wool word work works worth yard year yes yet york you young your zen zero zion"
)
"""Looked for by themselves only where they stand as a name."""
