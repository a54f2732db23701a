const [name, url] = process.argv.slice(2);
require(`./built/${name}/conversation.js`).converse(url).catch((error) => {
  console.error(error);
  process.exit(1);
});
