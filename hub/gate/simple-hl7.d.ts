/** What the tests use of simple-hl7, which has no types of its own. */
declare module 'simple-hl7' {
  interface Segment {
    getField(index: number): unknown;
    getComponent(field: number, component: number): unknown;
  }
  interface Message {
    header: Segment;
    getSegment(name: string): Segment | undefined;
  }
  interface Application {
    use(handler: (request: { msg: Message }, response: { end(): void }) => void): void;
    start(port: number): void;
    stop(): void;
  }
  const simple: {
    tcp(): Application;
    Parser: new (options: { segmentSeperator: string }) => { parse(text: string): Message };
    Server: {
      createTcpClient(
        host: string,
        port: number,
      ): { send(message: Message, done: (error: Error | null, answer?: Message) => void): void };
    };
  };
  export default simple;
}
