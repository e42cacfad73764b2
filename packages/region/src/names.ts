/**
 * The names people of the town bear, commoner ones first (drawn with a skew, so that common names repeat), with the
 * short forms by which a desk may register them. Written for this region.
 */

const split = (text: string): readonly string[] => text.trim().split(/\s+/);

export const FEMALE_NAMES = split(`
  Mary Maria Anna Sarah Emily Laura Linda Elena Jessica Susan Karen Nicole Rachel Julia Amy Hannah Grace Sofia Olivia
  Katherine Patricia Margaret Elizabeth Jennifer Deborah Barbara Rebecca Christina Victoria Alexandra Samantha Natalie
  Rosa Carmen Lucia Isabel Ana Gabriela Valeria Daniela Mariana Camila Paola Ximena Beatriz Teresa Pilar Guadalupe
  Wei Mei Ying Xiu Lan Hui Min Jing Yuki Sakura Hana Aiko Naomi Keiko Linh Thuy Hoa Mai Phuong Ngoc Minji Soyeon Jiwoo
  Priya Anjali Deepa Kavita Sunita Lakshmi Meera Asha Nisha Pooja Fatima Aisha Zainab Maryam Layla Noor Yasmin Amira
  Salma Hiba Rania Leila Shirin Parisa Amara Chioma Ngozi Adaeze Ifeoma Abena Akua Efua Zola Thandi Imani Keisha Latoya
  Ingrid Astrid Freya Sigrid Solveig Kirsten Greta Heidi Ursula Anneke Marieke Saskia Agnieszka Katarzyna Zofia Hanna
  Magda Irina Olga Tatiana Svetlana Oksana Daria Milena Jelena Vesna Ivana Eleni Despina Ioanna Francesca Chiara Giulia
  Bianca Siobhan Aoife Niamh Bridget Maeve Fiona Catriona Morag Bronwen Rhiannon Celeste Odette Simone Colette Margot
  Genevieve Harriet Edith Florence Beatrice Winifred Mabel Ida Opal Pearl Hazel Ivy Willow Juniper Autumn Skye Paige
  Brooke Taylor Morgan Jordan Avery Quinn Rowan Tamar Miriam Esther Ruth Leah Dalia Shira`);

export const MALE_NAMES = split(`
  James John Robert Michael David William Thomas Daniel Joseph Matthew Andrew Carlos Jose Luis Anthony Mark Paul Steven
  Kevin Brian George Edward Peter Richard Charles Christopher Nicholas Benjamin Samuel Jonathan Alexander Timothy
  Juan Miguel Pedro Diego Javier Rafael Fernando Ricardo Eduardo Alejandro Mateo Santiago Emilio Ramon Hector Ignacio
  Wei Jun Ming Hao Feng Bo Chen Tao Hiroshi Kenji Takeshi Haruto Daichi Minh Duc Tuan Quang Huy Jinho Minsoo Sungmin
  Raj Arjun Vikram Sanjay Anil Rohan Suresh Karthik Nikhil Amit Omar Ahmed Mohammed Ali Hassan Yusuf Ibrahim Khalid
  Tariq Bilal Samir Karim Farid Reza Dariush Emeka Chidi Obinna Tunde Kwame Kofi Yaw Sipho Thabo Malik Darnell Terrence
  Lars Erik Anders Nils Bjorn Magnus Sven Klaus Jurgen Dieter Pieter Willem Joost Marek Piotr Tomasz Jakub Wojciech Igor
  Dmitri Sergei Alexei Oleg Bohdan Taras Milan Goran Zoran Nikos Yannis Stavros Marco Luca Matteo Giovanni Paolo Enzo
  Sean Liam Declan Cormac Ronan Fergus Callum Angus Hamish Rhys Owen Gareth Luc Etienne Pascal Olivier Remy Theodore
  Walter Harold Ernest Clarence Leonard Norman Vernon Wallace Roland Otis Percy Cedric Felix Hugo Oscar Leo Max Jasper
  Wyatt Colton Tyler Logan Mason Ethan Caleb Isaac Jacob Levi Asher Eli Noam Avi Gideon Ezra`);

export const FAMILY_NAMES = split(`
  Smith Johnson Garcia Miller Brown Jones Nguyen Martinez Davis Lee Kim Rodriguez Wilson Patel Anderson Lopez Taylor
  Thomas Hernandez Moore Martin Jackson Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright Scott
  Hill Green Adams Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips Evans Turner Diaz Parker Cruz
  Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed
  Kelly Howard Ramos Cox Ward Richardson Watson Brooks Chavez Wood Bennett Gray Mendoza Ruiz Hughes Price Alvarez
  Castillo Sanders Myers Long Ross Foster Jimenez Chen Wang Li Zhang Liu Yang Huang Zhao Wu Zhou Tanaka Sato Suzuki
  Yamamoto Nakamura Kobayashi Tran Pham Le Vo Dang Bui Park Choi Jung Kang Singh Sharma Gupta Kumar Reddy Iyer Nair
  Desai Mehta Joshi Khan Ahmed Hussain Malik Rahman Chowdhury Haddad Khoury Nasser Mansour Saleh Farouk Rostami Karimi
  Okafor Adeyemi Eze Nwosu Balogun Mensah Boateng Owusu Asante Dlamini Nkosi Mbeki Diallo Traore Tesfaye Bekele
  Johansson Lindqvist Bergstrom Nilsson Halvorsen Eriksen Dahl Sorensen Mikkelsen Virtanen Korhonen Schmidt Muller
  Weber Becker Hoffmann Richter Vogel Zimmermann DeVries Jansen Bakker Visser Kowalski Nowak Wisniewski Zielinski
  Lewandowski Novak Horvat Petrov Ivanov Volkov Sokolov Kuznetsova Shevchenko Bondarenko Popescu Ionescu Papadopoulos
  Georgiou Rossi Ferrari Bianchi Esposito Romano Moretti Conti Silva Santos Oliveira Pereira Costa Carvalho Almeida
  O'Brien O'Connor Byrne Gallagher Doyle Kavanagh Quinn Sweeney MacDonald MacLeod Fraser Drummond Sinclair Llewellyn
  Pritchard Beddoes Dubois Lefebvre Moreau Girard Fontaine Mercier Beaumont Cohen Levy Friedman Goldberg Shapiro Katz
  Whitfield Ashworth Barlow Thackeray Hollis Pemberton Winslow Crane Fenwick Garrick Hathaway Ingram Kettering Lockwood
  Merriweather Northcott Oakes Prescott Quillfeather Radcliffe Stanhope Tolliver Underhill Vance Wexford Yardley`);

export const STREETS = [
  'Alder Street',
  'Beacon Hill Road',
  'Birchfield Avenue',
  'Cannery Row',
  'Canal Street',
  'Chapel Lane',
  'Cooper Street',
  'Copperfield Drive',
  'Cranberry Lane',
  'Dockside Road',
  'Eastgate Avenue',
  'Elm Court',
  'Falcon Way',
  'Ferry Road',
  'Foundry Street',
  'Garnet Street',
  'Glen Hollow Road',
  'Granite Avenue',
  'Harbor View Drive',
  'Harvest Lane',
  'Hickory Street',
  'Ironworks Road',
  'Jasmine Court',
  'Juniper Street',
  'Kestrel Drive',
  'Lantern Street',
  'Larkspur Lane',
  'Lighthouse Road',
  'Linden Avenue',
  'Long Wharf',
  'Maple Terrace',
  'Marsh Road',
  'Meadowlark Drive',
  'Mill Street',
  'Millpond Lane',
  'Monument Square',
  'North Bridge Road',
  'Oakridge Avenue',
  'Old Quarry Road',
  'Orchard Street',
  'Osprey Lane',
  'Paddock Way',
  'Pearl Street',
  'Pine Needle Drive',
  'Pleasant Street',
  'Quarterdeck Lane',
  'Quince Street',
  'Railway Avenue',
  'Redwood Court',
  'River Bend Road',
  'Ropewalk Street',
  'Rosemary Lane',
  'Sailmaker Street',
  'Salt Marsh Road',
  'School Street',
  'Shipyard Avenue',
  'South Ridge Drive',
  'Spindle Lane',
  'Spruce Street',
  'St. Brendan Street',
  'Stonecutter Road',
  'Sycamore Avenue',
  'Tannery Lane',
  'Thistle Court',
  'Tidewater Drive',
  'Turnpike Road',
  'Union Street',
  'Upland Road',
  'Valley View Drive',
  'Vine Street',
  'Walnut Street',
  'Weaver Street',
  'Westgate Avenue',
  'Wharf Street',
  'Whitman Avenue',
  'Willow Bend',
  'Windmill Road',
  'Yarrow Lane',
] as const;

/** The short or everyday form of a given name. */
export const NICKNAMES: Readonly<Record<string, string>> = {
  Elizabeth: 'Liz',
  Katherine: 'Kate',
  Margaret: 'Peggy',
  Patricia: 'Pat',
  Jennifer: 'Jen',
  Deborah: 'Debbie',
  Barbara: 'Barb',
  Rebecca: 'Becky',
  Christina: 'Tina',
  Victoria: 'Vicky',
  Alexandra: 'Alex',
  Samantha: 'Sam',
  Natalie: 'Nat',
  Jessica: 'Jess',
  Susan: 'Sue',
  Guadalupe: 'Lupe',
  Isabel: 'Isa',
  Gabriela: 'Gaby',
  Beatriz: 'Bea',
  Francesca: 'Fran',
  Bridget: 'Bridie',
  Genevieve: 'Gen',
  Florence: 'Flo',
  Winifred: 'Winnie',
  Katarzyna: 'Kasia',
  Agnieszka: 'Aga',
  James: 'Jim',
  John: 'Jack',
  Robert: 'Bob',
  Michael: 'Mike',
  David: 'Dave',
  William: 'Bill',
  Thomas: 'Tom',
  Daniel: 'Dan',
  Joseph: 'Joe',
  Matthew: 'Matt',
  Andrew: 'Andy',
  Anthony: 'Tony',
  Steven: 'Steve',
  Edward: 'Ted',
  Peter: 'Pete',
  Richard: 'Rick',
  Charles: 'Chuck',
  Christopher: 'Chris',
  Nicholas: 'Nick',
  Benjamin: 'Ben',
  Samuel: 'Sam',
  Jonathan: 'Jon',
  Alexander: 'Alex',
  Timothy: 'Tim',
  Jose: 'Pepe',
  Francisco: 'Paco',
  Ignacio: 'Nacho',
  Eduardo: 'Lalo',
  Alejandro: 'Ale',
  Mohammed: 'Mo',
  Theodore: 'Theo',
  Leonard: 'Len',
  Tomasz: 'Tomek',
  Jakub: 'Kuba',
};

export const EMAIL_DOMAINS = ['mail.example.com', 'post.example.net', 'inbox.example.org'] as const;
