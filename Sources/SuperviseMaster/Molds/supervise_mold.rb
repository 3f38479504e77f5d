# The mold of supervise for Ruby 2.7 and later: loads a program once and forks its workers.
#
# supervise runs this file for `mold = auto`; `supervise help molds` describes the protocol. It requires
# what mold-import names and what the command's script requires, and then waits for orders on the socket
# in $SUPERVISE_MOLD. Each order becomes a forked process that runs the command as if the interpreter had
# been started for it.

require "fiddle"
require "socket"

module SuperviseMold
  VERSION = "1".b
  FIRST_DESCRIPTOR = 3
  # SCM_MAX_FD of unix(7), and the header before the descriptors.
  CONTROL_BYTES = 64 + 253 * 4
  IDENTITY = "SUPERVISE_WORKER_ID=".b
  ZEROS = ("0" * 32).b
  PR_SET_PDEATHSIG = 1
  PR_SET_NAME = 15
  # Not every version of Ruby names it.
  F_DUPFD_CLOEXEC = 1030
  # Options of ruby that take the next word as their value.
  VALUED = %w[-I -r -C -E -X --encoding --external-encoding --internal-encoding].freeze

  # What a server requires only when it runs.
  REQUIRED_LATE = {
    "puma" => %w[puma/cli puma/launcher puma/single puma/server puma/rack/builder rack rack/builder],
  }.freeze

  # Functions that Ruby does not offer.
  module C
    INT = Fiddle::TYPE_INT
    LONG = Fiddle::TYPE_LONG

    def self.function(name, arguments, result = INT)
      Fiddle::Function.new(Fiddle::Handle::DEFAULT[name], arguments, result)
    rescue Fiddle::DLError
      nil
    end

    CLOSE = function("close", [INT])
    DUP2 = function("dup2", [INT, INT])
    PRCTL = function("prctl", [INT, LONG, LONG, LONG, LONG])
    BEGIN_WORKER = function("supervise_worker_begin", [], Fiddle::TYPE_VOID)
  end

  @start_blocks = []
  @is_worker = false

  # For files that depend on the environment or the descriptors of a worker. Calls the block in each
  # worker before its program; in a worker, at once.
  def self.at_start(&block)
    @is_worker ? block.call : @start_blocks << block
  end

  def self.start
    @is_worker = true
    @start_blocks.each(&:call)
  end

  # One worker to fork: see `supervise help molds`.
  class Order
    attr_reader :parent, :death_signal, :arguments, :environment, :output, :descriptors
    attr_accessor :channel

    def initialize(content, channel, output, descriptors)
      # The last text ends with a NUL too.
      version, _, parent, death_signal, count, *rest = content.split("\0".b, -1)[0...-1]
      raise ArgumentError, "the order has an unknown version" unless version == VERSION

      @parent = Integer(parent)
      @death_signal = Integer(death_signal)
      @arguments = rest.shift(Integer(count))
      @environment = rest
      @channel = channel
      @output = output
      @descriptors = descriptors
    end
  end

  # What the command line of a worker runs.
  class Command
    def initialize(arguments, path)
      words = arguments.map { |word| word.dup.force_encoding(Encoding.default_external) }
      program = words.shift
      if File.basename(program).start_with?("ruby")
        read_options(words, path)
      else
        @script = find(program, path)
      end
      @arguments = words
    end

    def name
      File.basename(@script.to_s)
    end

    def set_arguments
      ARGV.replace(@arguments)
    end

    # Changes the memory of the arguments too. A script compares $0 with __FILE__.
    def set_title
      $0 = @script ? File.expand_path(@script) : "-e"
    end

    def run
      return eval(@code, TOPLEVEL_BINDING, "-e") unless @script

      path = File.expand_path(@script)
      define_data(path)
      load(path)
    end

    # What the script requires at its top level, in order.
    def requirements
      return [] unless @script

      text = File.binread(@script)
      text.scan(/^require(_relative)?[ (]+["']([^"'#]+)["']/n).map do |relative, name|
        relative ? File.expand_path(name, File.dirname(File.realpath(@script))) : name
      end
    rescue SystemCallError
      []
    end

    private

    # ruby's own options are those of the mold.
    def read_options(words, path)
      is_in_path = false
      while words.first&.start_with?("-")
        option = words.shift
        case option
        when "--" then break
        when "-" then raise ArgumentError, "the command reads its program from the standard input"
        when "-S" then is_in_path = true
        when /\A-e/ then return @code = option == "-e" ? words.shift : option[2..]
        when *VALUED then words.shift
        end
      end
      script = words.shift or raise ArgumentError, "the command names no program"
      @script = is_in_path ? find(script, path) : script
    end

    def find(program, path)
      return program if program.include?("/")

      path.split(":").map { |folder| File.join(folder, program) }
        .find { |candidate| File.file?(candidate) && File.executable?(candidate) } ||
        raise(Errno::ENOENT, program)
    end

    def define_data(path)
      text = File.binread(path)
      place = text =~ /^__END__\r?\n/n or return
      file = File.open(path)
      file.seek(place + Regexp.last_match(0).bytesize)
      Object.const_set(:DATA, file)
    end
  end

  # The memory in which execve(2) stored the arguments and the environment (proc_pid_stat(5)): what
  # /proc/PID/cmdline and environ show.
  class Block
    def initialize
      fields = File.binread("/proc/self/stat").rpartition(")").last.split
      @arguments, @arguments_end, first, last = fields[45..48].map { |field| Integer(field) }
      environment = first.zero? ? "" : Fiddle::Pointer.new(first)[0, last - first]
      place = environment.index(IDENTITY + ZEROS)
      @identity = first + place if place
    end

    def set_identity(entry)
      return unless @identity && entry&.bytesize == IDENTITY.bytesize + ZEROS.bytesize

      Fiddle::Pointer.new(@identity)[0, entry.bytesize] = entry
    end

    def set_arguments(words)
      room = @arguments_end - @arguments
      return if @arguments.zero? || room <= 0

      # Its last byte stays 0, or the kernel would take the environment for more of it.
      text = words.map { |word| word + "\0" }.join.byteslice(0, room - 1)
      Fiddle::Pointer.new(@arguments)[0, room] = text.ljust(room, "\0")
    end
  end

  # The process that forks.
  class Mold
    def initialize
      @limit = Integer(ENV.delete("SUPERVISE_MOLD"))
      @socket = Socket.for_fd(@limit)
      @socket.close_on_exec = true
      @block = Block.new
      C::CLOSE.call(Integer(File.basename(__FILE__))) if __FILE__.start_with?("/proc/self/fd/")
      @environment = ENV.to_h
    end

    def load_program
      words = ARGV.map(&:b)
      names = ENV.delete("SUPERVISE_MOLD_IMPORT").to_s.split
      command = Command.new(words, ENV.fetch("PATH", "/bin:/usr/bin")) unless words.empty?
      command&.set_arguments
      names.each { |name| require name }
      if command
        late = REQUIRED_LATE.fetch(command.name, [])
        (command.requirements + late).each { |name| require_if_possible(name) }
      end
      Process.respond_to?(:warmup) ? Process.warmup : GC.start
      # Its own end is orderly, whatever a file installed: temporary files are removed.
      @terminate = trap("TERM") { exit }
      @temporary = SuperviseMold.temporary_files
    end

    # Forks for each order. Returns in the workers alone; the end of the socket is the mold's.
    def serve
      @socket.send("READY=1", 0)
      loop do
        order = receive or exit
        # What is buffered would be written by the worker too.
        $stdout.flush
        $stderr.flush
        return order if forked?(order)

        order.channel.close
        (order.output + order.descriptors).each { |number| C::CLOSE.call(number) }
      end
    end

    # Everything that execve(2) would have done. Returns the command.
    def become_worker(order)
      trap("TERM", @terminate || "DEFAULT")
      SuperviseMold.end_as_a_worker(@temporary)
      place(order)
      set_environment(order.environment)
      command = Command.new(order.arguments, ENV.fetch("PATH", "/bin:/usr/bin"))
      command.set_arguments
      command.set_title
      @block.set_identity(order.environment.find { |entry| entry.start_with?(IDENTITY) })
      @block.set_arguments(order.arguments)
      name = File.basename(order.arguments.first)[0, 15] + "\0"
      C::PRCTL.call(PR_SET_NAME, Fiddle::Pointer[name].to_i, 0, 0, 0)
      C::BEGIN_WORKER&.call
      SuperviseMold.start
      order.channel.close
      command
    end

    private

    def require_if_possible(name)
      require name
    rescue ScriptError, StandardError
      nil
    end

    def receive
      loop do
        message, _, flags, *controls =
          @socket.recvmsg(4096, 0, CONTROL_BYTES, scm_rights: true)
        return nil if message.empty? && controls.empty?

        ios = controls.select { |control| control.cmsg_is?(:SOCKET, :RIGHTS) }
          .flat_map(&:unix_rights)
        if ios.size < 2
          # The master sees the end of the channel.
          ios.each(&:close)
          next
        end

        file, channel, *rest = ios
        begin
          if flags & (Socket::MSG_TRUNC | Socket::MSG_CTRUNC) != 0
            raise "the mold lacks descriptors for the order (limit-nofile)"
          end

          content = file.pread(file.stat.size, 0)
          numbers = rest.map(&:fileno)
          output = message.end_with?(" OUTPUT") ? [numbers.shift].compact : []
          order = Order.new(content, channel, output, numbers)
          rest.each { |io| io.autoclose = false }
          return order
        rescue StandardError => error
          SuperviseMold.report(channel, "order", error)
          [channel, *rest].each(&:close)
        ensure
          file.close
        end
      end
    rescue SystemCallError
      nil
    end

    # Forks twice: the worker's parent is to be supervise. True in the worker.
    def forked?(order)
      if (child = fork)
        Process.wait(child)
        return false
      end
      begin
        # Until it is known who it is, a signal ends it.
        trap("TERM", "SYSTEM_DEFAULT")
        middle = Process.pid
        exit!(0) if fork
        sleep(0.0002) while Process.ppid == middle
        introduce(order)
        true
      rescue Exception => error
        SuperviseMold.report(order.channel, "fork", error)
        exit!(1)
      end
    rescue SystemCallError => error
      SuperviseMold.report(order.channel, "fork", error)
      false
    end

    def introduce(order)
      if Process.ppid != order.parent
        raise "process #{Process.ppid} has adopted the worker instead of supervise " \
              "(#{order.parent}): a wrapper of the mold is a subreaper"
      end
      Process.setpgid(0, 0)
      C::PRCTL.call(PR_SET_PDEATHSIG, order.death_signal, 0, 0, 0)
      exit!(1) if Process.ppid != order.parent
      order.channel.send("HERE", 0)
      exit!(1) if order.channel.recv(16) != "GO"
    end

    # The worker's descriptors become 3, 4, 5 and so on. The numbers were kept free for them.
    def place(order)
      @socket.close
      past = [@limit, FIRST_DESCRIPTOR + order.descriptors.size].max + 1
      high = order.descriptors.map { |number| duplicate(number, past) }
      if order.channel.fileno < past
        moved = Socket.for_fd(duplicate(order.channel.fileno, past))
        order.channel.close
        order.channel = moved
      end
      order.output.each { |number| [1, 2].each { |stream| C::DUP2.call(number, stream) } }
      (order.output + order.descriptors).each { |number| C::CLOSE.call(number) }
      high.each_with_index do |number, index|
        C::DUP2.call(number, FIRST_DESCRIPTOR + index)
        C::CLOSE.call(number)
      end
      (FIRST_DESCRIPTOR + high.size...@limit).each do |number|
        C::CLOSE.call(number) if null?(number)
      end
    end

    def duplicate(number, from)
      IO.for_fd(number, autoclose: false).fcntl(F_DUPFD_CLOEXEC, from)
    end

    def null?(number)
      File.stat("/proc/self/fd/#{number}").rdev == File.stat("/dev/null").rdev
    rescue SystemCallError
      false
    end

    # The worker's own, and on top of it what the loaded files changed, as if they had been loaded now.
    def set_environment(entries)
      wanted = entries.to_h { |entry| entry.split("=".b, 2) }
      %w[LISTEN_PID SUPERVISE_WORKER_PID].each do |name|
        wanted[name.b] = Process.pid.to_s if wanted[name.b] == ""
      end
      ENV.each { |name, value| wanted[name.b] = value if @environment[name] != value }
      @environment.each_key { |name| wanted.delete(name.b) unless ENV.key?(name) }
      ENV.replace(wanted)
    end
  end

  module_function

  def report(channel, step, error)
    channel.send("FAILED=#{step}: #{error.message}".b[0, 1024], 0)
  rescue SystemCallError, IOError
    nil
  end

  def temporary_files
    defined?(Tempfile) ? ObjectSpace.each_object(Tempfile).to_a : []
  end

  # Exit handlers run in reverse order. This one, the worker's first, runs after those that its program
  # registers, and ends the process before those of the mold. Finalizers cannot be told apart, except
  # for those of temporary files.
  def end_as_a_worker(inherited)
    worker = Process.pid
    at_exit do
      error = $!
      own = Process.pid == worker ? temporary_files - inherited : []
      own.each { |file| file.close! rescue nil }
      status = status_of(error)
      [$stdout, $stderr].each { |stream| stream.flush rescue nil }
      if error.is_a?(SignalException)
        trap(error.signo, "SYSTEM_DEFAULT")
        Process.kill(error.signo, Process.pid)
      end
      exit!(status)
    end
  end

  # Ruby prints an error only after all handlers.
  def status_of(error)
    case error
    when nil then 0
    when SystemExit then error.status
    when SignalException then 1
    else
      $stderr.write(error.full_message(highlight: $stderr.tty?))
      1
    end
  end

  def run
    mold = Mold.new
    mold.load_program
    order = mold.serve
    begin
      command = mold.become_worker(order)
    rescue Exception => error
      report(order.channel, "start", error)
      exit!(1)
    end
    command.run
  end
end

SuperviseMold.run
