import t from 'tap'
import { SimulatedByteStream } from '../../drivers/simulated/byte-stream.js'
import { settle } from '../../drivers/simulated/clock.js'
import { byteStreamContract } from './byte-stream.contract.js'

byteStreamContract(t, () => {
  const port = new SimulatedByteStream('printer')
  let from = 0
  return {
    stream: () => port.stream(),
    arrived: () => port.written().subarray(from),
    setTaking: isTaking => port.setTaking(isTaking),
    say: async bytes => port.receive(bytes),
    vanish: async () => port.unplug(),
    comeBack: async () => {
      from = port.written().length
      port.setTaking(true)
      port.plug()
    },
    keptBytesMax: port.bufferBytes,
    pass: settle,
    close: async () => {},
  }
})
