require("./built/conversation.js").converse(process.argv[2]).catch((error) => {
  console.error(error);
  process.exit(1);
});
