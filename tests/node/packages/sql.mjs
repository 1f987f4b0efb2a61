import initialise from "sql.js";

const SQL = await initialise();
const database = new SQL.Database();
database.run("create table number (n integer, text text)");
const insert = database.prepare("insert into number values (?, ?)");
for (let n = 0; n < 2000; n++) insert.run([n, "x".repeat(n % 50)]);
insert.free();
console.log(JSON.stringify(database.exec("select count(*), sum(n), max(length(text)) from number")));
console.log(database.export().length);
database.close();
