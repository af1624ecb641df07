"""The raw tables of the closed world: one line per entity, columns separated by ``|``.

Countries, animals, words and their translations are real. Where the real world has several right
answers (Morocco's languages, a fox's sounds) the table keeps one that any reader would accept.
"""

# country | adjective | capital | language | continent | currency
COUNTRIES = """
France|French|Paris|French|Europe|euro
Spain|Spanish|Madrid|Spanish|Europe|euro
Italy|Italian|Rome|Italian|Europe|euro
Germany|German|Berlin|German|Europe|euro
Portugal|Portuguese|Lisbon|Portuguese|Europe|euro
Greece|Greek|Athens|Greek|Europe|euro
Austria|Austrian|Vienna|German|Europe|euro
Poland|Polish|Warsaw|Polish|Europe|zloty
Hungary|Hungarian|Budapest|Hungarian|Europe|forint
Sweden|Swedish|Stockholm|Swedish|Europe|krona
Norway|Norwegian|Oslo|Norwegian|Europe|krone
Denmark|Danish|Copenhagen|Danish|Europe|krone
Finland|Finnish|Helsinki|Finnish|Europe|euro
Iceland|Icelandic|Reykjavik|Icelandic|Europe|krona
Romania|Romanian|Bucharest|Romanian|Europe|leu
Ukraine|Ukrainian|Kyiv|Ukrainian|Europe|hryvnia
Turkey|Turkish|Ankara|Turkish|Asia|lira
Egypt|Egyptian|Cairo|Arabic|Africa|pound
Morocco|Moroccan|Rabat|Arabic|Africa|dirham
Nigeria|Nigerian|Abuja|English|Africa|naira
Ghana|Ghanaian|Accra|English|Africa|cedi
Kenya|Kenyan|Nairobi|Swahili|Africa|shilling
Ethiopia|Ethiopian|Addis Ababa|Amharic|Africa|birr
Angola|Angolan|Luanda|Portuguese|Africa|kwanza
Japan|Japanese|Tokyo|Japanese|Asia|yen
China|Chinese|Beijing|Chinese|Asia|yuan
Thailand|Thai|Bangkok|Thai|Asia|baht
Vietnam|Vietnamese|Hanoi|Vietnamese|Asia|dong
Mongolia|Mongolian|Ulaanbaatar|Mongolian|Asia|tugrik
Iran|Iranian|Tehran|Persian|Asia|rial
Bangladesh|Bangladeshi|Dhaka|Bengali|Asia|taka
Nepal|Nepalese|Kathmandu|Nepali|Asia|rupee
Brazil|Brazilian|Brasilia|Portuguese|South America|real
Argentina|Argentine|Buenos Aires|Spanish|South America|peso
Chile|Chilean|Santiago|Spanish|South America|peso
Peru|Peruvian|Lima|Spanish|South America|sol
Mexico|Mexican|Mexico City|Spanish|North America|peso
Cuba|Cuban|Havana|Spanish|North America|peso
Jamaica|Jamaican|Kingston|English|North America|dollar
Australia|Australian|Canberra|English|Oceania|dollar
"""

# animal | sound | food | home | young
ANIMALS = """
dog|bark|bones|kennel|puppy
cat|meow|fish|house|kitten
cow|moo|grass|barn|calf
horse|neigh|hay|stable|foal
pig|oink|corn|sty|piglet
sheep|baa|clover|pasture|lamb
goat|bleat|leaves|paddock|kid
duck|quack|seeds|pond|duckling
goose|honk|grass|lake|gosling
hen|cluck|grain|coop|chick
owl|hoot|mice|hollow tree|owlet
lion|roar|meat|savanna|cub
wolf|howl|deer|den|pup
bear|growl|honey|cave|cub
frog|croak|flies|pond|tadpole
bee|buzz|nectar|hive|larva
snake|hiss|rats|burrow|snakelet
elephant|trumpet|leaves|savanna|calf
monkey|chatter|bananas|jungle|infant
mouse|squeak|seeds|hole|pup
pigeon|coo|crumbs|loft|squab
donkey|bray|straw|stable|foal
crow|caw|worms|nest|chick
eagle|screech|rabbits|eyrie|eaglet
dolphin|click|squid|ocean|calf
seal|bark|fish|sea|pup
fox|yap|mice|den|kit
rabbit|squeal|carrots|burrow|kit
cricket|chirp|grass|meadow|nymph
sparrow|chirp|seeds|hedge|fledgling
camel|grunt|thorns|desert|calf
tiger|roar|deer|jungle|cub
parrot|squawk|nuts|rainforest|chick
hyena|laugh|carrion|savanna|cub
bat|squeak|moths|cave|pup
whale|song|krill|ocean|calf
deer|bellow|shoots|forest|fawn
hedgehog|snuffle|slugs|hedge|hoglet
squirrel|chatter|acorns|drey|kit
"""

# object | color | material | use
OBJECTS = """
hammer|gray|steel|driving nails
spoon|silver|metal|eating soup
broom|yellow|straw|sweeping floors
candle|white|wax|giving light
rope|brown|hemp|tying boats
pillow|white|cotton|resting the head
kettle|black|iron|boiling water
vase|blue|glass|holding flowers
ladder|brown|wood|climbing walls
scarf|red|wool|warming the neck
needle|silver|steel|sewing clothes
basket|brown|willow|carrying fruit
umbrella|black|nylon|keeping off rain
drum|red|leather|making music
key|gold|brass|opening doors
pencil|yellow|wood|drawing pictures
kite|green|paper|flying in the wind
boot|black|leather|walking in mud
mirror|silver|glass|seeing faces
blanket|blue|wool|keeping warm
saw|gray|steel|cutting wood
bucket|green|plastic|carrying water
bell|gold|bronze|calling people
comb|pink|plastic|tidying hair
brick|red|clay|building houses
envelope|white|paper|sending letters
anchor|black|iron|holding ships
sail|white|canvas|catching wind
ring|gold|gold|showing love
lamp|green|brass|lighting rooms
net|blue|nylon|catching fish
oven|black|iron|baking bread
"""

# Each pair holds in both directions, and no word stands in two pairs.
OPPOSITES = """
hot|cold
big|small
tall|short
fast|slow
old|new
light|heavy
clean|dirty
rich|poor
happy|sad
strong|weak
early|late
full|empty
hard|soft
loud|quiet
near|far
open|closed
sweet|bitter
thick|thin
wet|dry
wide|narrow
young|elderly
awake|asleep
brave|afraid
cheap|expensive
dark|bright
deep|shallow
easy|difficult
first|last
good|bad
high|low
inside|outside
kind|cruel
left|right
long|brief
north|south
polite|rude
rough|smooth
sharp|blunt
true|false
up|down
safe|dangerous
simple|complex
"""

# English | Spanish | French
LEXICON = """
dog|perro|chien
cat|gato|chat
house|casa|maison
tree|árbol|arbre
water|agua|eau
bread|pan|pain
milk|leche|lait
book|libro|livre
sun|sol|soleil
moon|luna|lune
star|estrella|étoile
red|rojo|rouge
blue|azul|bleu
green|verde|vert
white|blanco|blanc
black|negro|noir
friend|amigo|ami
school|escuela|école
table|mesa|table
chair|silla|chaise
door|puerta|porte
window|ventana|fenêtre
street|calle|rue
city|ciudad|ville
flower|flor|fleur
bird|pájaro|oiseau
fish|pez|poisson
horse|caballo|cheval
cow|vaca|vache
apple|manzana|pomme
cheese|queso|fromage
egg|huevo|œuf
rain|lluvia|pluie
snow|nieve|neige
wind|viento|vent
sea|mar|mer
mountain|montaña|montagne
river|río|rivière
hand|mano|main
head|cabeza|tête
heart|corazón|cœur
day|día|jour
night|noche|nuit
winter|invierno|hiver
summer|verano|été
mother|madre|mère
father|padre|père
brother|hermano|frère
sister|hermana|sœur
king|rey|roi
queen|reina|reine
song|canción|chanson
letter|carta|lettre
shoe|zapato|chaussure
hat|sombrero|chapeau
bed|cama|lit
kitchen|cocina|cuisine
garden|jardín|jardin
forest|bosque|forêt
bridge|puente|pont
"""

# English sentence | Spanish sentence
PHRASES = """
Hello, how are you?|Hola, ¿cómo estás?
Good morning.|Buenos días.
Good night.|Buenas noches.
Thank you very much.|Muchas gracias.
See you tomorrow.|Hasta mañana.
My name is Anna.|Me llamo Anna.
I am hungry.|Tengo hambre.
I am thirsty.|Tengo sed.
The house is big.|La casa es grande.
The cat is black.|El gato es negro.
I like bread.|Me gusta el pan.
I have a dog.|Tengo un perro.
It is raining.|Está lloviendo.
Welcome, my friend.|Bienvenido, amigo.
The water is cold.|El agua está fría.
I live in the city.|Vivo en la ciudad.
"""

# kind | its members
KINDS = """
fruit|apple pear plum cherry grape peach lemon melon
vegetable|carrot potato onion cabbage spinach leek turnip pumpkin
instrument|violin piano flute trumpet guitar harp cello drum
vehicle|car bus train bicycle truck tram tractor wagon
garment|coat shirt dress sock glove jacket skirt sweater
piece of furniture|table chair bed sofa desk shelf stool bench
tool|hammer saw spade rake wrench chisel drill pliers
flower|rose tulip daisy lily violet orchid poppy iris
drink|tea coffee juice milk cocoa lemonade cider water
metal|iron copper tin zinc lead nickel silver gold
"""

# singular | plural
PLURALS = """
child|children
foot|feet
tooth|teeth
goose|geese
mouse|mice
man|men
woman|women
knife|knives
leaf|leaves
wolf|wolves
shelf|shelves
city|cities
baby|babies
berry|berries
story|stories
box|boxes
bus|buses
dish|dishes
church|churches
potato|potatoes
tomato|tomatoes
hero|heroes
book|books
tree|trees
house|houses
river|rivers
table|tables
lamp|lamps
boat|boats
cloud|clouds
ox|oxen
loaf|loaves
"""

# present | past
PAST_TENSES = """
go|went
see|saw
eat|ate
drink|drank
sing|sang
swim|swam
run|ran
write|wrote
speak|spoke
take|took
give|gave
come|came
make|made
buy|bought
bring|brought
think|thought
catch|caught
teach|taught
sleep|slept
keep|kept
leave|left
find|found
hold|held
fall|fell
fly|flew
draw|drew
grow|grew
know|knew
throw|threw
build|built
send|sent
lose|lost
"""

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = (
    "January February March April May June July August September October November December"
).split()

# Invented people: every full name is made of one of each, and their facts are drawn by seed.
FIRST_NAMES = """
Ada Bruno Clara David Elena Felix Greta Hugo Irene Jonas Katya Leon Marta Nils Olga Pablo Quinn
Rosa Stefan Tilda Umberto Vera Walter Xenia Yusuf Zelda Amina Boris Celia Dario Edith Farid Gloria
Henrik Ingrid Jakob Kenji Linda Mateo Nadia Oscar Petra Ravi Sonia Tomas Ursula Viktor Wanda
""".split()
LAST_NAMES = """
Abel Bishop Carver Dunn Ekman Fisher Grove Hale Ivers Jensen Keller Lund Moss Norton Orr Pike
Quill Reed Stone Thorn Usher Vance Webb Yates
""".split()

JOBS = """baker|painter|doctor|farmer|teacher|sailor|carpenter|gardener|lawyer|pilot|nurse|singer
|tailor|plumber|writer|dentist|potter|judge|chemist|waiter""".replace("\n", "").split("|")
CITIES = "Paris Madrid Rome Berlin Lisbon Athens Vienna Warsaw Oslo Cairo Tokyo Havana".split()
PETS = "cat dog parrot rabbit goat horse mouse duck pigeon frog".split()
FOODS = "pasta rice soup pizza salad cake stew cheese bread fish beans pancakes".split()
COLORS = "red blue green yellow white black purple orange brown pink".split()
HOBBIES = """chess|fishing|dancing|sewing|running|swimming|reading|cooking|hiking|sailing|juggling
|pottery""".replace("\n", "").split("|")

# First names that no invented person of the world has: characters of stories and reading text.
CHARACTERS = "Anna Ben Lily Max Nora Sam Emma Tom Lucy Paul Mia Jack Eva Peter Ruth Carl".split()
SHE = frozenset("Anna Lily Nora Emma Lucy Mia Eva Ruth".split())

# Names no text of the world mentions: for measuring invention.
STRANGERS = """
Zorin Bax|Mirelda Fonk|Tavish Oodle|Quorra Plim|Bertol Snade|Ysolde Crump|Drogan Whelk|Fennick Orb
|Halva Truss|Ogden Blix|Pernilla Zast|Rumford Gack|Sibyl Vonk|Thaddeus Yarl|Ulrica Womble
|Wendel Jorp|Cressida Knole|Lorcan Ditch|Maude Sprocket|Nestor Glim
""".replace("\n", "").split("|")

# Answers that are right in the real world although the world's own texts use another.
ALSO_RIGHT = {
    ("opposite", "light"): ("dark",),
    ("opposite", "short"): ("long",),
    ("opposite", "old"): ("young",),
    ("opposite", "hard"): ("easy",),
    ("opposite", "sweet"): ("sour",),
    ("opposite", "poor"): ("wealthy",),
    ("opposite", "rough"): ("gentle",),
    ("opposite", "sharp"): ("dull",),
    ("opposite", "young"): ("old",),
    ("opposite", "bright"): ("dull",),
    ("opposite", "quiet"): ("noisy",),
}


def rows(table: str) -> list[list[str]]:
    """Split one of the tables above into its rows and columns."""
    return [line.split("|") for line in table.strip().splitlines()]
