// A message centre for the connector tests: node-smpp with scripted answers.
//
// Events go to standard output and orders come from standard input, one JSON object a line. Ends
// when standard input does.
//
// Orders: {"answers": [88, 0]}         command_status of the next submit_sm, in order; then 0
//         {"bindAnswers": [14]}        the same for bind_transceiver
//         {"delay": 20}                milliseconds before each answer to submit_sm
//         {"dropOnSubmit": 1}          close the connection at the next submit_sm, unanswered
//         {"silent": true}             no answer to enquire_link
//         {"deliver": {...}}           send a deliver_sm with these fields
//         {"raw": "hex"}               send these bytes
//         {"unbind": true}             say good-bye
// Events: listening, bind, submit_sm, deliver_sm_resp, generic_nack, enquire_link, unbind,
//         unbind_resp, closed, told
'use strict';

const fs = require('fs');
const readline = require('readline');
const smpp = require('smpp');

const script = { answers: [], bindAnswers: [], delay: 0, dropOnSubmit: 0, silent: false };
let current = null;
let submitted = 0;

function tell(event, fields) {
  process.stdout.write(JSON.stringify({ event, ...fields }) + '\n');
}

function argument(name) {
  const at = process.argv.indexOf('--' + name);
  return at < 0 ? undefined : process.argv[at + 1];
}

function serve(session) {
  let outstanding = 0;
  session.on('error', () => {});
  session.on('close', () => tell('closed'));
  session.on('bind_transceiver', (pdu) => {
    const status = script.bindAnswers.shift() || 0;
    tell('bind', {
      system_id: pdu.system_id,
      password: pdu.password,
      interface_version: pdu.interface_version,
      status,
    });
    current = session;
    session.send(pdu.response({ command_status: status, system_id: 'peer' }));
  });
  session.on('submit_sm', (pdu) => {
    outstanding += 1;
    submitted += 1;
    const { message, udh } = pdu.short_message;
    tell('submit_sm', {
      outstanding,
      message,
      udh: udh ? Array.from(Buffer.concat(udh.map((part) => Buffer.from(part)))) : null,
      esm_class: pdu.esm_class,
      data_coding: pdu.data_coding,
      registered_delivery: pdu.registered_delivery,
      priority_flag: pdu.priority_flag,
      protocol_id: pdu.protocol_id,
      source: [pdu.source_addr_ton, pdu.source_addr_npi, pdu.source_addr],
      destination: [pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr],
    });
    if (script.dropOnSubmit > 0) {
      script.dropOnSubmit -= 1;
      session.destroy();
      return;
    }
    const status = script.answers.shift() || 0;
    const fields = status ? { command_status: status } : { message_id: 'id-' + submitted };
    setTimeout(() => {
      outstanding -= 1;
      session.send(pdu.response(fields));
    }, script.delay);
  });
  session.on('deliver_sm_resp', (pdu) => tell('deliver_sm_resp', { status: pdu.command_status }));
  session.on('generic_nack', (pdu) => tell('generic_nack', { status: pdu.command_status }));
  session.on('unbind_resp', () => tell('unbind_resp'));
  session.on('enquire_link', (pdu) => {
    tell('enquire_link');
    if (!script.silent) session.send(pdu.response());
  });
  session.on('unbind', (pdu) => {
    tell('unbind');
    session.send(pdu.response());
  });
}

function obey(order) {
  const { deliver, raw, unbind, ...settings } = order;
  Object.assign(script, settings);
  if (deliver) current.deliver_sm(deliver);
  if (raw) current.socket.write(Buffer.from(raw, 'hex'));
  if (unbind) current.unbind();
}

const options = argument('cert')
  ? { cert: fs.readFileSync(argument('cert')), key: fs.readFileSync(argument('key')) }
  : {};
const server = smpp.createServer(options, serve);
server.listen(Number(argument('port') || 0), '127.0.0.1', () => {
  tell('listening', { port: server.address().port });
});
readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    obey(JSON.parse(line));
    tell('told');
  })
  .on('close', () => process.exit(0));
