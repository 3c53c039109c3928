/** The script of the thread that makes WebAssembly (`BackgroundMaker`). It loads no more than that takes. */
import { type MakerMessage, MakerService } from '../jit/maker-service.js';
import { answerMessages, nowMs } from '../platform/answer-messages.js';

const service = new MakerService(nowMs);
answerMessages((message) => service.receive(message as MakerMessage));
