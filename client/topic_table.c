#include "config.h"

#include "client/i18n.h"
#include "client/topic.h"

#define END                \
	{                  \
		NULL, NULL \
	}

static const struct topic_step morning[] = {
	{"cirt today", N_("what waits: alarms, clocks, people, feeds, notices")},
	{"cirt inbox", N_("what is new, in groups; one key acts on a whole group")},
	{"cirt clock list --next 3d", N_("what is due")},
	{"cirt notice preview", N_("which mails are about to go to whom, and what is held")},
	{"cirt notice send --all", N_("let them go")},
	END,
};

static const struct topic_step phoned[] = {
	{"cirt search \"+99 555 0101\"", N_("who that is, and what there is of them")},
	{"cirt case open --phone --from \"IT head, +99 555 0101\" --org \"City Hospital\" --class "
	 "unauthorised-information-modification --tag ransomware --severity critical",
		N_("a case; the call is a report of its own")},
	{"cirt report new --phone --from \"A. Citizen\" --class phishing --text \"parcel SMS\"",
		N_("where it deserves no case: a report alone")},
	{"cirt case note 2026-000412 \"ER works on paper\"", N_("what they said since")},
	END,
};

static const struct topic_step bounced[] = {
	{"cirt notice list --state failed", N_("mails that did not arrive")},
	{"cirt notice show N2026-000123", N_("what their server said")},
	{"cirt contact list \"City Hospital\"", N_("whom else there is")},
	{"cirt contact set 12 --email soc@hospital.example", N_("the address mended")},
	{"cirt notice oneshot 202611-123", N_("warn again, to who is reached now")},
	END,
};

static const struct topic_step phishing[] = {
	{"cirt inbox", N_("a wave is one group; l links it to the case of the same kit")},
	{"cirt case open --in-person --class phishing --title \"wave against a bank\"",
		N_("where there is no case yet")},
	{"cirt report link 2026-000409 202611-123", N_("more of it")},
	{"cirt reply 2026-000409 --to imitated", N_("tell the bank, defanged")},
	{"cirt notice oneshot 202611-123", N_("warn the owner of the host now")},
	END,
};

static const struct topic_step ransomware[] = {
	{"cirt case open --phone --org \"City Hospital\" --class unauthorised-information-modification --tag "
	 "ransomware --severity critical",
		N_("its playbook adds tasks and clocks")},
	{"cirt filing new 2026-000412 --regime NIS --stage early-warning",
		N_("the early warning that came; ours is due in 24 h")},
	{"cirt task list --case 2026-000412", N_("what is to be done")},
	{"cirt ask sector:health --question question.txt --until 18:00", N_("who else is hit")},
	{"cirt case brief 2026-000412", N_("one page for those who decide")},
	END,
};

static const struct topic_step released[] = {
	{"cirt tlp ask 202611-123 --note \"the hospital is hit\"", N_("ask its source for a release")},
	{"cirt tlp list", N_("what was asked and not answered")},
	{"cirt tlp grant 202611-123 --form sanitised --evidence 202611-456",
		N_("the answer; what waited goes")},
	END,
};

static const struct topic_step expired[] = {
	{"cirt key list", N_("which keys end when")},
	{"cirt key import hospital.asc", N_("the new one")},
	{"cirt contact set 12 --pgp 44E96BAF54A8D1E10FEC9FD43E5FE42A0AC02F85", N_("it is theirs")},
	{"cirt notice list --state held", N_("what waited for it")},
	END,
};

static const struct topic_step twice[] = {
	{"cirt case merge 2026-000413 2026-000412", N_("two cases are one")},
	{"cirt case split 2026-000413", N_("they are two again, each with its own")},
	{"cirt case split 2026-000412 202611-123 --into 2026-000409", N_("one report belongs elsewhere")},
	{"cirt report unfold 202611-123", N_("two reports were taken for one")},
	END,
};

static const struct topic_step mistake[] = {
	{"cirt undo", N_("take back what you did last")},
	{"cirt undo --list", N_("what may be taken back")},
	END,
};

static const struct topic_step theirs[] = {
	{"cirt org who 198.51.100.7 --at 2026-01-15", N_("whose it was then")},
	{"cirt org set \"City Hospital\" --prefix 198.51.100.0/26",
		N_("mend the register: open reports follow")},
	END,
};

static const struct topic_step wanted[] = {
	{"cirt spam review", N_("what was taken for spam, and why")},
	{"cirt spam rescue 7", N_("it comes in after all")},
	{"cirt spam allow press@paper.example", N_("never spam again")},
	END,
};

static const struct topic_step silent[] = {
	{"cirt alarm list", N_("since when, and how it usually is")},
	{"cirt source show spamhaus-drop", N_("how its last pulls went")},
	{"cirt source pull spamhaus-drop", N_("now")},
	END,
};

static const struct topic_step unread[] = {
	{"cirt quarantine list", N_("what could not be read, and why")},
	{"cirt quarantine show 7", N_("what it is")},
	{"cirt quarantine release 7", N_("run it again")},
	END,
};

static const struct topic_step became[] = {
	{"cirt receipt \"250 2.0.0 queued as 20261122-1f3a55aa-17\"",
		N_("what their server was told, pasted")},
	{"cirt report show 202611-123", N_("where it is, and why it folded")},
	END,
};

static const struct topic_step police[] = {
	{"cirt evidence list --case 2026-000412", N_("what there is, by digest")},
	{"cirt evidence export 2026-000412 --output case-412", N_("a sealed folder; sha256sum -c checks it")},
	END,
};

static const struct topic_step alone[] = {
	{"cirt approve list", N_("what waits for a second person")},
	{"cirt approve give 7", N_("you are the second")},
	END,
};

static const struct topic_step press[] = {
	{"cirt case brief 2026-000412 --lang fr", N_("what is known and what is not, from the journal")},
	END,
};

static const struct topic_step changed[] = {
	{"cirt journal case/2026-000412", N_("who did what to it")},
	{"cirt audit verify", N_("whether anybody touched the journal")},
	END,
};

static const struct topic_step newcomer[] = {
	{"cirt org new \"City Hospital\" --kind hospital --prefix 192.0.2.0/24",
		N_("who it is, and what it holds")},
	{"cirt contact new \"City Hospital\" --email soc@clinic.example --language de",
		N_("whom to tell, and how")},
	{"cirt org import constituents.csv --dry-run",
		N_("many at once, from a file: first see what it would do")},
	END,
};

static const struct topic_step over[] = {
	{"cirt case show 2026-000412", N_("what of it is still open stands there")},
	{"cirt task done 12", N_("a task of it is done; or: cirt task drop")},
	{"cirt case move 2026-000412 contained", N_("where it is not over yet, but spreads no more")},
	{"cirt case close 2026-000412 --outcome resolved --impact minor", N_("how it ended")},
	{"cirt case reopen 2026-000412 --reason \"the page is up again\"", N_("it was not over")},
	END,
};

static const struct topic_step mine[] = {
	{"cirt case take 2026-000412", N_("it is yours")},
	{"cirt case take 2026-000412 --for op7", N_("it is a colleague's")},
	{"cirt case list --mine", N_("what is yours; of somebody else: --assignee op7")},
	{"cirt case watch 2026-000412", N_("you want to know of it")},
	END,
};

static const struct topic_step colleague[] = {
	{"cirt operator new op9 --role analyst --certificate op9.pem",
		N_("somebody new, and what he comes with")},
	{"cirt operator set op9 --role lead", N_("what he may do")},
	{"cirt operator set op9 --certificate new.pem",
		N_("another certificate; \"\" takes a lost one away")},
	{"cirt operator disable op4 --reason \"left\"", N_("he comes in no more, from now on")},
	{"cirt case list --assignee op4", N_("what he leaves: cirt case take NUMBER --for somebody")},
	END,
};

static const struct topic_step written[] = {
	{"cirt case note 2026-000412 \"backups are intact\"", N_("a note in a case; --pin keeps it on top")},
	{"cirt note edit 31 \"backups are intact, of 1 November\"", N_("changed; what it said is kept")},
	{"cirt event add 2026-000412 --at \"yesterday 22:10\" \"first login by RDP\"",
		N_("what happened in the incident itself")},
	END,
};

static const struct topic_step files[] = {
	{"cirt evidence add 2026-000412 ransom.txt --from \"IT head, on a stick\"",
		N_("a file that somebody gave you")},
	{"cirt submit mail.eml", N_("a mail or a list that was saved: it goes the way of all mail")},
	{"cirt evidence list --case 2026-000412", N_("what there is, by digest")},
	END,
};

static const struct topic_step letters[] = {
	{"cirt reply 2026-000412", N_("answer who wrote last; an editor opens, 60 seconds to undo")},
	{"cirt mail --to police --case 2026-000412", N_("write to anybody else, in the case")},
	{"cirt case show 2026-000412 --mail", N_("every mail in and out")},
	{"cirt case list --unread", N_("where mail waits")},
	END,
};

static const struct topic_step many[] = {
	{"cirt ask sector:health --question question.txt --until 18:00", N_("one question to all of them")},
	{"cirt ask show 3", N_("who has said what, who has not answered")},
	{"cirt ask set 3 \"City Hospital\" no --note \"by phone\"", N_("an answer by phone")},
	{"cirt inquiry new 2026-000412 --to hoster --question question.txt --due 2d",
		N_("a question to one party")},
	END,
};

static const struct topic_step misjudged[] = {
	{"cirt case set 2026-000412 --severity high --type phishing", N_("what a case says")},
	{"cirt report reclassify phishing 202611-123", N_("what a report says; undo takes it back")},
	{"cirt case tag 2026-000412 ransomware", N_("a word of the list; cirt tag list shows it")},
	END,
};

static const struct topic_step nothing[] = {
	{"cirt report reject 202611-123 --reason false-alarm",
		N_("one report; or not-ours, spam, duplicate, test")},
	{"cirt inbox reject 3 --reason not-ours", N_("a whole group of the inbox")},
	{"cirt case close 2026-000412 --outcome false-alarm", N_("a case")},
	{"cirt undo", N_("it was something after all")},
	END,
};

static const struct topic_step lookup[] = {
	{"cirt search 198.51.100.7",
		N_("all that the desk knows of it: address, name, digest, number, words")},
	{"cirt org who 198.51.100.7", N_("whose it is")},
	{"cirt report search 198.51.100.0/24", N_("reports of a whole prefix")},
	END,
};

static const struct topic_step times[] = {
	{"cirt clock list --next 3d", N_("what is due, and by which law")},
	{"cirt clock new 2026-000412 --what \"second mail to hoster\" --within \"8 business hours\"",
		N_("a time of your own")},
	{"cirt case wait 2026-000412 --for hoster --until \"Fri 14:00\"",
		N_("it comes back on an answer, or then")},
	{"cirt filing list", N_("what the law wants filed")},
	END,
};

static const struct topic_step drill[] = {
	{"cirt exercise open frost-2026 --add \"soc@bank.example @grid.example\"",
		N_("begin; nobody else is written to")},
	{"cirt exercise list", N_("which there are")},
	{"cirt exercise close frost-2026", N_("it is over")},
	END,
};

static const struct topic_step closed_doors[] = {
	{"cirt case restrict 2026-000412 --to op4,op7",
		N_("only they, its assignee, who watches it, and leads")},
	{"cirt case unrestrict 2026-000412", N_("everybody again")},
	{"cirt case set 2026-000412 --tlp red", N_("who outside may be told")},
	END,
};

static const struct topic_step taken_down[] = {
	{"cirt measure new takedown https://login-bank.example.net/a --case 2026-000409 --review 2d",
		N_("that it is wanted, and when to look again; or dns-block")},
	{"cirt mail --to hoster --case 2026-000409", N_("ask for it")},
	{"cirt measure list", N_("what stands, and what is to be looked at")},
	{"cirt measure end 5 --reason \"the name is deleted\"", N_("it is not needed any more")},
	END,
};

static const struct topic_step warned[] = {
	{"cirt rule why 202611-123", N_("why somebody is told of it, or nobody")},
	{"cirt notice hold N2026-000123 --reason \"they move today\"",
		N_("it waits; or: cirt notice cancel")},
	{"cirt rule new open-resolvers --type ddos-amplifier --suppress", N_("nobody is told of such")},
	{"cirt notice preview", N_("what goes to whom now")},
	END,
};

static const struct topic_step addresses[] = {
	{"cirt contact list \"City Hospital\"", N_("whom there is")},
	{"cirt contact set 12 --email soc@hospital.example", N_("the address mended")},
	{"cirt contact new \"City Hospital\" --email it@hospital.example --role technical", N_("one more")},
	{"cirt contact test 12", N_("does it reach them?")},
	END,
};

static const struct topic_step sources[] = {
	{"cirt source discover https://taxii.example/taxii2/ --auth user:password", N_("what a server has")},
	{"cirt source add spamhaus-drop --kind feed --match https://feed.example/drop.csv --tlp green",
		N_("a list that is pulled; or mailbox, sensor, taxii, misp, shadowserver")},
	{"cirt source list", N_("who sends, and when last")},
	END,
};

static const struct topic_step machine[] = {
	{"cirt status", N_("rooms, backlog, database, how mail goes out")},
	{"cirt ledger", N_("the books: nothing is lost")},
	{"cirt alarm list", N_("what wants somebody to look")},
	END,
};

const struct topic topics[] = {
	{"morning start day duty shift today", N_("The day begins"), morning},
	{"phone phoned call called caller calls telephone chat", N_("Someone phoned"), phoned},
	{"write mail mails send reply answer respond letter read", N_("A mail is to be written"), letters},
	{"bounce bounced undelivered returned came back", N_("A mail of ours bounced"), bounced},
	{"note notes comment remark write journal timeline", N_("Something is to be written down"), written},
	{"file files attach attachment upload sample screenshot stick", N_("Somebody gave us a file"), files},
	{"take assign assignee handover hand over give mine colleague", N_("Whose case it is"), mine},
	{"close closed finish resolve resolved end over reopen", N_("A case is over, or is not"), over},
	{"phishing wave bank kit", N_("A phishing wave"), phishing},
	{"ransomware hospital filing early warning nis nis2 statutory",
		N_("Ransomware, or an early warning by law"), ransomware},
	{"ask question all many everybody sector survey who else", N_("One question to many"), many},
	{"takedown down block blocked dns sinkhole domain website hoster measure", N_("It has to go down"),
		taken_down},
	{"severity classification classify reclassify class type tag wrong change",
		N_("What a case or a report says is wrong"), misjudged},
	{"false alarm nothing reject ours noise test rubbish", N_("It is nothing, or not ours"), nothing},
	{"search find look address ip owns whose lookup", N_("What is known of an address"), lookup},
	{"tlp release permission amber red restricted source",
		N_("A source must be asked before anybody is told"), released},
	{"secret restrict restricted confidential hide insider", N_("Not everybody may see a case"),
		closed_doors},
	{"key expired pgp smime certificate encrypt", N_("A key has expired"), expired},
	{"merge duplicate twice split same", N_("Two cases are one, or one is two"), twice},
	{"undo mistake wrong", N_("I did the wrong thing"), mistake},
	{"owner whose reassign prefix moved", N_("It is somebody else's network"), theirs},
	{"contact address wrong phone email", N_("We write to the wrong address"), addresses},
	{"warn warned notice notify suppress resolver vulnerable stop", N_("Who is warned, and who is not"),
		warned},
	{"spam lost wanted rescue", N_("A mail that was wanted is spam"), wanted},
	{"deadline due clock late remind business hours wait", N_("When is that due?"), times},
	{"feed silent quiet alarm stopped", N_("A feed fell silent"), silent},
	{"source sensor feed subscribe new taxii misp shadowserver", N_("A new feed or sensor"), sources},
	{"quarantine unreadable broken odd", N_("Something could not be read"), unread},
	{"receipt arrived became sender asks", N_("A sender asks what became of it"), became},
	{"police evidence court export seal", N_("The police want the evidence"), police},
	{"night alone two people approve glass", N_("It takes two, and one is alone"), alone},
	{"press minister journalist brief page", N_("The minister wants a page"), press},
	{"who changed journal audit", N_("Who changed that?"), changed},
	{"constituent organisation member register new", N_("A new constituent"), newcomer},
	{"operator colleague account login access password certificate rights left leaves joins new",
		N_("A colleague comes, or leaves"), colleague},
	{"exercise drill training simulation", N_("A drill"), drill},
	{"health backup disk full slow server daemon", N_("How the machine is"), machine},
	{NULL, NULL, NULL},
};
